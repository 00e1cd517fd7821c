"""A client of the service.

>>> from tenure.client import Client
>>> with Client("http://127.0.0.1:3000", key="3f2a…") as client:   # doctest: +SKIP
...     for account in client.each_account(band="high", sort="amount_at_risk"):
...         print(account.account_id, account.probability)

Requests and answers are the models that the service itself checks and writes; neither BentoML nor
the model's libraries are loaded.
"""

from tenure.client.client import Client
from tenure.client.errors import ServiceError

__all__ = ["Client", "ServiceError"]
