"""The HTTP service: requests, answers, problems, middleware."""
