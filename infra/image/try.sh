#!/usr/bin/env bash
# Builds the image, runs it as docs/selfhost.md says, and tries it as a stranger, as who has a key, and from within. From the
# root of the repository, with its node_modules, ffmpeg and curl:
#   bash infra/image/try.sh
# CONTAINER_ENGINE is docker, or podman; BUILD_OPTIONS and RUN_OPTIONS are more options of its `build` and `run`, PORT is one
# that is free. Says each finding and figure as a line; ends with 1 at the first that is not as it should be.
set -euo pipefail

engine=${CONTAINER_ENGINE:-docker}
port=${PORT:-8042}
read -ra build_options <<<"${BUILD_OPTIONS:-}"
read -ra run_options <<<"${RUN_OPTIONS:-}"
name=leadline-try-$$
url=http://127.0.0.1:$port
work=$(mktemp -d)
key_file=$work/key

cleanup() {
  "$engine" rm --force --volumes "$name" >"$work/removed" 2>&1 || true
  "$engine" volume rm --force "$name" >"$work/removed" 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT

say() { echo "$*"; }
fail() {
  say "FAILED: $*"
  "$engine" logs --tail 20 "$name" >&2 || true
  exit 1
}
leadline() { node --import tsx src/cli.ts "$@"; }
seconds_since() { awk -v since="$1" -v now="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", now - since }'; }

# Podman leaves the health check out of an image of its own format, and looks for the list of what to leave out elsewhere.
[[ $engine != podman ]] || build_options+=(--format docker --ignorefile infra/image/Dockerfile.dockerignore)
began=$EPOCHREALTIME
"$engine" build "${build_options[@]}" -f infra/image/Dockerfile -t leadline . >"$work/build" 2>&1 \
  || { tail -30 "$work/build"; exit 1; }
say "built in $(seconds_since "$began"), $(("$("$engine" image inspect --format '{{.Size}}' leadline)" / 1000000)) MB"

began=$EPOCHREALTIME
"$engine" run -d --name "$name" --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
  -v "$name:/var/lib/leadline" -p "127.0.0.1:$port:8042" --stop-timeout 40 "${run_options[@]}" leadline >"$work/started"
until curl --silent --fail --output "$work/livez" "$url/livez"; do
  [[ $("$engine" inspect --format '{{.State.Running}}' "$name") == true ]] || fail "it ended"
  sleep 0.1
done
say "lives $(seconds_since "$began") after the container was asked for"
until curl --silent --fail --output "$work/readyz" "$url/readyz"; do sleep 0.1; done
say "ready after $(seconds_since "$began")"

# Docker looks by itself; podman where systemd runs, and when it is told.
if [[ $engine == podman ]]; then
  podman healthcheck run "$name" || fail "the health check"
else
  until [[ $(docker inspect --format '{{.State.Health.Status}}' "$name") == healthy ]]; do
    [[ $(docker inspect --format '{{.State.Health.Status}}' "$name") != unhealthy ]] || fail "the health check"
    sleep 1
  done
fi
say "healthy"

# 5200x3900: larger than what a decoder for live frames takes (decision 50).
ffmpeg -v error -f lavfi -i testsrc2=size=640x360:rate=30 -frames:v 30 -pix_fmt yuv420p "$work/video.mp4"
ffmpeg -v error -f lavfi -i testsrc2=size=640x360 -frames:v 1 "$work/small.jpg"
ffmpeg -v error -f lavfi -i testsrc2=size=5200x3900 -frames:v 1 "$work/large.jpg"

status_of() { curl --silent --output "$work/answer" --write-out '%{http_code}' "$@"; }
depth_of() {
  local picture=$1
  shift
  status_of --data-binary "@$picture" -H 'content-type: image/jpeg' "$@" "$url/v1/depth"
}
[[ $(depth_of "$work/small.jpg") == 401 ]] || fail "a picture without a key: $(cat "$work/answer")"
! leadline stream "$work/video.mp4" --url "$url" --json >"$work/refused" 2>&1 || fail "a stream without a key"
grep -q "needs a key" "$work/refused" || fail "a stream without a key: $(cat "$work/refused")"
say "refuses who has no key"
for file in / /third-party.txt; do
  [[ $(status_of "$url$file") == 200 ]] || fail "the page: no $file"
done
say "has its page"

"$engine" exec "$name" leadline keys create try >"$work/created"
grep -om1 'lk_[A-Za-z0-9_-]*' "$work/created" >"$key_file" || fail "no key: $(cat "$work/created")"

digest_of() { node -p "JSON.parse(require('node:fs').readFileSync('$1', 'utf8')).digest"; }
leadline stream "$work/video.mp4" --url "$url" --key-file "$key_file" --json >"$work/there" || fail "a stream"
leadline stream "$work/video.mp4" --json >"$work/here"
[[ $(digest_of "$work/there") == "$(digest_of "$work/here")" ]] || fail "depth of a stream is not what it is here"
say "streams, and depth is what it is here: $(cat "$work/there")"

leadline clip "$work/video.mp4" --url "$url" --key-file "$key_file" --out-dir "$work" >"$work/clip" 2>&1 \
  || fail "a clip: $(cat "$work/clip")"
say "takes a clip"

began=$EPOCHREALTIME
as_owner=(-H "authorization: Bearer $(cat "$key_file")")
[[ $(depth_of "$work/large.jpg" "${as_owner[@]}") == 200 ]] || fail "a large picture: $(cat "$work/answer")"
size=$(ffprobe -v error -show_entries stream=width,height,pix_fmt -of csv=p=0 "$work/answer")
[[ $size == 5200,3900,gray16be ]] || fail "depth of a large picture is $size"
say "a picture of 5200x3900 takes $(seconds_since "$began")"

"$engine" exec "$name" leadline doctor --json >"$work/doctor" || fail "doctor: $(cat "$work/doctor")"
say "doctor finds nothing broken: $(grep -o '"subject":"[^"]*","state":"[^"]*"' "$work/doctor" | tr '\n' ' ')"
within() { "$engine" exec "$name" sh -c "$1"; }
within 'cat /proc/[0-9]*/cmdline' >"$work/processes"
say "processes: $(tr '\0' '\n' <"$work/processes" | grep -o 'dist/.*js' | sort | uniq -c | tr -s ' \n' ' ')"
within 'cat /proc/[0-9]*/smaps_rollup 2>/dev/null' >"$work/memory" || true # The reader itself is gone by then.
say "memory of them all: $(awk '/^Pss:/ { kib += $2 } END { print int(kib / 1024) " MiB" }' "$work/memory")"

began=$EPOCHREALTIME
"$engine" stop --time 40 "$name" >"$work/stopped"
code=$("$engine" inspect --format '{{.State.ExitCode}}' "$name")
[[ $code == 0 ]] || fail "it ended with $code"
say "stopped in order in $(seconds_since "$began")"

# What lasts is in the volume, the key too.
for _ in 1 2 3; do
  "$engine" start "$name" >"$work/started"
  until curl --silent --fail --output "$work/readyz" "$url/readyz"; do sleep 0.1; done
  began=$EPOCHREALTIME
  [[ $(depth_of "$work/small.jpg" "${as_owner[@]}") == 200 ]] || fail "a picture after a start: $(cat "$work/answer")"
  say "started again, first depth $(seconds_since "$began") after it was ready"
  "$engine" stop --time 40 "$name" >"$work/stopped"
done
"$engine" logs "$name" 2>&1 | grep '^leadline listening'
