#!/bin/sh
# Everything that is checked before a release: format, tidy, sanitizers, fuzz replay, full crash loops.
set -eu
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; }

step "format"
git ls-files '*.cc' '*.h' | xargs clang-format --dry-run --Werror

step "release build for the crash loops"
cmake --preset release >/dev/null
cmake --build --preset release

step "tests, optimised build with asserts"
cmake --preset dev >/dev/null
cmake --build --preset dev --target all all_verify_interface_header_sets
ctest --preset dev

for sanitizer in asan tsan; do
  step "tests under $sanitizer"
  cmake --preset "$sanitizer" >/dev/null
  cmake --build --preset "$sanitizer"
  ctest --preset "$sanitizer"
done

step "clang-tidy"
cmake --preset tidy >/dev/null
cmake --build --preset tidy

step "fuzzing, 30 s a target, from the corpora of tests/fuzz"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
for target in build/fuzz/tests/fuzz/fuzz_*; do
  [ -x "$target" ] && [ -f "$target" ] || continue
  name=$(basename "$target" | sed 's/^fuzz_//')
  scratch=$(mktemp -d)
  "$target" -max_total_time=30 -rss_limit_mb=4096 "$scratch" "tests/fuzz/corpus/$name"
  rm -rf "$scratch"
done

step "1,000 kills"
build/dev/tests/crash/kill_loop --sworn build/release/cli/sworn \
  --preload build/dev/tests/crash/libkill_after.so --kills 1000

step "all checks passed"
