#!/bin/sh
# Measure a bundled model through the engine that serves, and keep the figures in models/NAME/results/eval.jsonl:
#   npm run models-figures -- MODEL HOLDOUT RGBD [options of "leadline eval" for every run]
# HOLDOUT is a folder that leadline_models.rgbd_folder wrote, RGBD a plain RGB-D folder.
set -eu
cd "$(dirname "$0")/.."
if [ $# -lt 3 ]; then
  echo 'usage: npm run models-figures -- MODEL HOLDOUT RGBD [options of "leadline eval"]' >&2
  exit 2
fi
model=$1 holdout=$2 rgbd=$3
shift 3
results=models/$model/results
mkdir -p "$results"
rm -f "$results/eval.jsonl"
# Whatever the manifest prefers; the int8 runs say so themselves.
export LEADLINE_PRECISION=fp32

score() {
  data=$1
  shift
  echo "$data $*" >&2
  npx tsx src/cli.ts eval --model "$model" --data "$data" --json "$results/eval.jsonl" "$@" | tail -n 1
}

score "$holdout/holdout-stills" --mode single "$@"
LEADLINE_PRECISION=int8 score "$holdout/holdout-stills" --mode single "$@"
for data in "$holdout/holdout-clips" "$rgbd"; do
  score "$data" --mode single "$@"
  score "$data" --mode ovda --cache-size 8 "$@"
  score "$data" --mode ovda --cache-size 16 "$@"
  LEADLINE_PRECISION=int8 score "$data" --mode ovda --cache-size 16 "$@"
  score "$data" --mode ovda --cache-size 16 --stabilize "$@"
done
score "$holdout/holdout-clips" --mode vda-stream "$@"
score "$holdout/holdout-clips" --mode vda-window "$@"
score "$holdout/holdout-cuts" --mode ovda --cache-size 16 "$@"
score "$holdout/holdout-cuts" --mode ovda --cache-size 16 --scene-cut "$@"
