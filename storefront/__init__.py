"""Every door to the market: pages, API, jobs and commands. The only folder that knows FastAPI, Jinja2 and Redis."""
