# One image for every program; the service's command says which. Not built where no container
# engine was at hand: see the header of docker-compose.yml.

FROM python:3.12.12-slim-bookworm AS packages
WORKDIR /build
COPY requirements.lock .
RUN python -m venv /opt/beffroi \
 && /opt/beffroi/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements.lock

FROM python:3.12.12-slim-bookworm
RUN groupadd --system --gid 10001 beffroi \
 && useradd --system --uid 10001 --gid beffroi --no-create-home --shell /usr/sbin/nologin beffroi
COPY --from=packages /opt/beffroi /opt/beffroi
COPY storage /app/storage
COPY collector /app/collector
COPY processors /app/processors
COPY dashboards /app/dashboards
COPY beffroi /app/beffroi
RUN python -m compileall -q /app
ENV PATH=/opt/beffroi/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
USER 10001:10001
ENTRYPOINT ["python", "-m", "beffroi"]
CMD ["--help"]
