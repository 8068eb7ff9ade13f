# syntax=docker/dockerfile:1
# SPDX-License-Identifier: Apache-2.0
#
# The same scripts as on a developer's machine: tools/install for packages, tools/run --build-only for the build.
#   docker build -t perigee .
#   docker run -p 8000:8000 -v perigee:/data perigee

FROM debian:12-slim AS build
WORKDIR /src
COPY tools/install tools/packages.txt tools/
RUN tools/install runtime build
COPY CMakeLists.txt ./
COPY tools tools
COPY runtime runtime
RUN tools/run --no-install --build-only && strip build/perigee

FROM debian:12-slim
WORKDIR /app
COPY tools/install tools/packages.txt tools/
RUN tools/install runtime && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 perigee \
    && useradd --uid 10001 --gid perigee --no-create-home --home-dir /data --shell /usr/sbin/nologin perigee \
    && install -d -o perigee -g perigee -m 0700 /data
COPY --from=build /src/build/perigee /usr/local/bin/perigee
COPY LICENSE ./
COPY db db
COPY scripts scripts
ENV PERIGEE_HOST=0.0.0.0 \
    PERIGEE_PORT=8000 \
    PERIGEE_DATA=/data \
    PERIGEE_SCRIPTS=/app/scripts \
    PERIGEE_DB=/app/db \
    PERIGEE_ENV=production
USER perigee
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s --retries=3 \
    CMD ["sh", "-c", "curl -fsS -o /dev/null http://127.0.0.1:${PERIGEE_PORT}/healthz"]
ENTRYPOINT ["perigee"]
CMD ["serve"]
