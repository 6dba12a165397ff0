#!/bin/sh
# Runs the console examples of docs/cli.md in order and compares them with what the page says.
#
#   tests/cli/run_doc_examples.sh PROGRAM [PAGE]
#
# A line "$ COMMAND" is run; "  # exit N" at its end gives the status (0 otherwise). Each line below
# it must match a line of the output, standard error included; "..." stands for any text, and for
# spaces of any number where the page has some. It works on copies in a scratch folder.
set -u
program=$(readlink -f "$1")
repository=$(readlink -f "$(dirname "$0")/../..")
page=${2:-$repository/docs/cli.md}
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

mkdir "$scratch/bin" "$scratch/home" "$scratch/work" || exit 1
ln -s "$program" "$scratch/bin/sworn"
cp -R "$repository/data" "$scratch/work/data" || exit 1
PATH="$scratch/bin:$PATH"
HOME="$scratch/home"
SWORN_KB="$scratch/kb"
NO_COLOR=1
export PATH HOME SWORN_KB NO_COLOR
unset XDG_DATA_HOME XDG_CONFIG_HOME SWORN_CONFIG
cd "$scratch/work" || exit 1

commands=0
faults=0
command=""

fault() {
  faults=$((faults + 1))
  printf 'FAULT: $ %s\n  %s\n' "$command" "$1"
  sed 's/^/  | /' "$scratch/output"
}

run() {
  wanted=$(printf '%s\n' "$command" | sed -n 's/.*  # exit \([0-9]*\)$/\1/p')
  command=$(printf '%s\n' "$command" | sed 's/  # exit [0-9]*$//')
  sh -c "$command" >"$scratch/output" 2>&1 </dev/null
  status=$?
  commands=$((commands + 1))
  [ "$status" -eq "${wanted:-0}" ] || fault "exit status $status, not ${wanted:-0}"
}

# The line as a basic regular expression: everything literal but "..." and runs of spaces.
expect() {
  pattern=$(printf '%s\n' "$1" | sed -e 's/[][\.*^$]/\\&/g' -e 's/\\\.\\\.\\\./.*/g' -e 's/  */ */g')
  grep -q -x -e "$pattern" "$scratch/output" || fault "no line like: $1"
}

inside=no
while IFS= read -r line; do
  case "$line" in
    '```console') inside=yes; continue ;;
    '```') inside=no; continue ;;
  esac
  [ "$inside" = yes ] || continue
  case "$line" in
    '$ '*) command=${line#??}; run ;;
    *) expect "$line" ;;
  esac
done <"$page"

echo "$commands commands run, $faults faults"
[ "$commands" -ge 20 ] || { echo "too few examples found in $page"; exit 1; }
[ "$faults" -eq 0 ]
