# Hatang in one image, with the database it runs by itself. With DATABASE_URL set it uses that one
# instead (docker-compose.yml). The data is in the volume /data.

FROM node:20.20.2-bookworm-slim AS page
WORKDIR /src/internal/web/ui
COPY internal/web/ui/package.json internal/web/ui/package-lock.json internal/web/ui/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY internal/web/ui ./
RUN npm run build

FROM golang:1.26.8-bookworm AS program
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=page /src/internal/web/dist ./internal/web/dist
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -o /hatang ./cmd/hatang

FROM debian:12.12-slim
# No cluster of Debian's own: Hatang makes its own in /data.
RUN mkdir -p /etc/postgresql-common/createcluster.d \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.d/hatang.conf \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates curl postgresql-15 postgresql-15-postgis-3 tini tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --create-home --home-dir /home/hatang --uid 10001 hatang \
 && install -d -o hatang -g hatang -m 0700 /data
COPY --from=program /hatang /usr/local/bin/hatang
USER hatang
ENV HATANG_DATA=/data/cluster HATANG_LISTEN=:8080
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD curl --fail --silent --show-error --output /dev/null http://127.0.0.1:8080/readyz
# tini collects the processes that a killed command leaves.
ENTRYPOINT ["/usr/bin/tini", "--", "hatang"]
CMD ["serve", "--demo"]
