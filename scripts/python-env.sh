#!/usr/bin/env bash
# Print the path of a Python that has what models/ needs, making a virtual environment for it once.
set -euo pipefail
cd "$(dirname "$0")/.."
env_dir=${LEADLINE_PYTHON_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/leadline/python}
made=$env_dir/$(sha256sum models/pyproject.toml | cut -c1-16)
if [[ ! -e $made ]]; then
  echo 'Installing PyTorch into a virtual environment (about 3 GB, once) ...' >&2
  if ! python3 -m venv --clear "$env_dir" >/dev/null 2>&1; then
    sh scripts/prepare.sh python3-venv-is-missing:python3-venv >&2
    python3 -m venv --clear "$env_dir" >&2
  fi
  # The packages alone and not the project: the environment may outlive this clone.
  "$env_dir/bin/python" - >"$env_dir/wanted.txt" <<'PYTHON'
try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    from pip._vendor import tomli as tomllib
project = tomllib.load(open("models/pyproject.toml", "rb"))["project"]
print("\n".join(project["dependencies"] + project["optional-dependencies"]["test"]))
PYTHON
  "$env_dir/bin/pip" install --quiet --disable-pip-version-check -r "$env_dir/wanted.txt" >&2
  touch "$made"
fi
echo "$env_dir/bin/python"
