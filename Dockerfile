# Built with `docker build -t darkroom .`. For a look at it, alone, with everything embedded and kept in the volume:
#   docker run --rm --init -p 127.0.0.1:8080:8080 -e NODE_ENV=development -e DEMO=1 darkroom
# Without these two it is a production node, and says which settings it lacks.
FROM node:22-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY src/db/patches src/db/patches
# Bun stands alone below. What goes besides is read by compilers and debuggers only.
RUN npm ci --omit=dev \
  && mv node_modules/bun/bin/bun.exe bun \
  && rm -r node_modules/.bin node_modules/bun node_modules/typescript node_modules/@typescript \
  && find node_modules \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -type f -delete

FROM debian:trixie-slim
# Whoever owns the data; initdb asks for a name.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin darkroom \
  && install --directory --owner=darkroom --group=darkroom --mode=0700 /data
WORKDIR /app
COPY --from=packages /app/bun /usr/local/bin/bun
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY machines machines
COPY sql sql
COPY src src
# Bun's cache of transpiled files would be all that it writes outside of DATA_DIR.
ENV NODE_ENV=production \
  HOST=0.0.0.0 \
  PORT=8080 \
  DATA_DIR=/data \
  BUN_RUNTIME_TRANSPILER_CACHE_PATH=0
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# Liveness: an orchestrator that replaces what is unhealthy must not replace every node when PostgreSQL is away.
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 \
  CMD ["bun", "-e", "process.exit((await fetch(`http://127.0.0.1:${process.env.PORT}/livez`)).ok ? 0 : 1)"]
# No shell, npm or launcher in between: Bun is the process that is signalled.
ENTRYPOINT ["bun"]
CMD ["src/main.ts"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Darkroom" \
  org.opencontainers.image.description="The backend of a generative-media app: every job a durable XState actor." \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version=$VERSION \
  org.opencontainers.image.revision=$REVISION
