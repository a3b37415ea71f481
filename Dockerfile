# The market as one image: `serve` by default, `worker` and every other command of bin/yigou by name.
# It brings no database: DATABASE_URL and REDIS_URL name them (compose.yaml shows both).

FROM node:22-slim AS frontend
WORKDIR /yigou
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund
COPY frontend frontend
COPY storefront/static storefront/static
RUN node frontend/build.mjs

FROM python:3.11-slim AS packages
COPY requirements/run.lock .
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r run.lock

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/yigou yigou
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/yigou \
    PYTHONUNBUFFERED=1 \
    PYTHONUTF8=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    YIGOU_VAR=/var/lib/yigou
WORKDIR /yigou
COPY --from=packages /venv /venv
COPY alembic.ini ./
COPY alembic alembic
COPY market market
COPY payments payments
COPY storefront storefront
COPY --from=frontend /yigou/storefront/static/dist storefront/static/dist
RUN python -m compileall -q alembic market payments storefront
USER yigou
VOLUME /var/lib/yigou
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["python", "-m", "storefront.commands"]
CMD ["serve"]
