#!/bin/sh
# Start install_action.py with whatever Python is there; it looks for one that is new enough itself.
scripts=$(CDPATH='' cd -- "${0%/*}" && pwd) || exit 3
# Nothing in the workspace is run, which is a pull request's checkout.
workspace=$(CDPATH='' cd -P -- "${GITHUB_WORKSPACE:-/dev/null}" 2>/dev/null && pwd)
absolute=
set -f
IFS=:
for folder in $PATH; do
  place=$(case $folder in /*) CDPATH='' cd -P -- "$folder" 2>/dev/null && pwd ;; esac)
  case $place/ in
    / | "${workspace:-/dev/null}"/*) ;;
    *) absolute=$absolute${absolute:+:}$folder ;;
  esac
done
unset IFS
set +f
PATH=${absolute:-/} # an empty one is the working directory
cd -- "${RUNNER_TEMP:-/}" || exit 3
for python in "$INPUT_PYTHON" python3 python python3.14 python3.13 python3.12 python3.11 python3.10; do
  if [ -n "$python" ] && "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
    exec "$python" -I "$scripts/install_action.py"
  fi
done
echo '::error title=MR603::this needs Python 3.10 or newer, and this runner has none; install one, for example: apt-get install python3 python3-venv'
exit 3
