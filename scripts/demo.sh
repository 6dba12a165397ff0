#!/bin/sh
# Shows Sworn at work on data/samples: index, search, three questions, the audit log.
#
#   scripts/demo.sh BINARY        BINARY is the `sworn` program, such as build/release/cli/sworn
#
# The knowledge base is made in a fresh folder below ${TMPDIR:-/tmp} and removed at the end. Each
# command is printed as one would type it. The first that fails ends the demo with its exit code.
set -eu

if [ $# -ne 1 ]; then
  echo "usage: scripts/demo.sh BINARY" >&2
  exit 2
fi
case "$1" in
  /*) binary=$1 ;;
  *) binary=$PWD/$1 ;;
esac
if [ ! -x "$binary" ] || [ -d "$binary" ]; then
  echo "demo.sh: '$1' is not a program; 'make release' builds it" >&2
  exit 2
fi

cd "$(dirname "$0")/.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/sworn-demo.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
SWORN_KB=$folder/kb
export SWORN_KB

# Prints the command, then runs it.
run() {
  typed="sworn"
  for word in "$@"; do
    case "$word" in
      *[!A-Za-z0-9_./=-]*) typed="$typed \"$word\"" ;;
      *) typed="$typed $word" ;;
    esac
  done
  printf '\n$ %s\n' "$typed"
  if "$binary" "$@"; then
    return 0
  else
    code=$?
  fi
  printf 'demo.sh: "%s" failed with exit code %s\n' "$typed" "$code" >&2
  exit "$code"
}

printf '$ export SWORN_KB=%s\n' "$SWORN_KB"
run index data/samples
run search "C34.1" -n 3
run ask "How much written notice ends the services agreement SA-2023-0417?"
run ask "¿Durante cuánto tiempo se conserva la historia clínica en Almendra Salud?"
run ask "How many patients are enrolled in study NCT99000419?"
run audit verify
run status
