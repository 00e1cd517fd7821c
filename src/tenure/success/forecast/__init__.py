"""The forecast of retention in money: what the accounts that pay now will do in a month or quarter.

Risks of accounts are summed to expected amounts; past periods tell what comes of an expected amount
and how far shocks that all accounts share move it: docs/forecast.md.
"""
