"""The analysts' pages: made on the server from the store and the bundles, each view a link.

A page parses its link into a view, makes one call, and fills a template.  To add one, write its
function, name it in `tenure.service.pages.answers.PAGES`, and put its template beside the others.
"""
