#!/bin/sh
# Compiles the kernels for 64-bit ARM, runs them in an emulator as three processors that choose
# different tables, and compares the digests of all outputs with those of this machine.
#
#   cross_check.sh SOURCE_DIR WORK_DIR NATIVE_PROGRAM
set -eu
source_dir=$1
work_dir=$2
native=$3

for tool in aarch64-linux-gnu-g++ qemu-aarch64; do
  if ! command -v "$tool" >/dev/null 2>&1; then
    echo "skipped: $tool is missing (scripts/setup.sh --dev installs it)"
    exit 77
  fi
done

mkdir -p "$work_dir"
aarch64-linux-gnu-g++ -std=c++20 -O1 -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
  -Wno-sign-conversion -Wold-style-cast -Werror -static -I "$source_dir" "$source_dir"/kernels/*.cc \
  "$source_dir/tests/kernels/cross_check.cc" "$source_dir/tests/kernels/table_cases.cc" \
  -o "$work_dir/cross_check"
"$native" >"$work_dir/native.txt" 2>"$work_dir/native.tables"
echo "native: $(cat "$work_dir/native.tables")"

# check PROCESSOR TABLES
check() {
  if ! qemu-aarch64 -cpu "$1" "$work_dir/cross_check" >"$work_dir/$1.txt" 2>"$work_dir/$1.tables"; then
    cat "$work_dir/$1.tables"
    exit 1
  fi
  echo "$1: $(cat "$work_dir/$1.tables")"
  if [ "$(cat "$work_dir/$1.tables")" != "$2" ]; then
    echo "expected the tables: $2"
    exit 1
  fi
  diff "$work_dir/native.txt" "$work_dir/$1.txt"
}
check max "i8mm dotprod scalar"
check neoverse-n1 "dotprod scalar"
check cortex-a72 "scalar"
