#!/bin/sh
# Installs what Sworn is built from: Debian 12 packages and nothing else.
#
#   scripts/setup.sh          what `make demo` and `make test` need
#   scripts/setup.sh --dev    also clang, clang-tidy, clang-format, strace, debootstrap, and the ARM
#                             cross compiler and emulator (checks)
#   scripts/setup.sh --ocr    also tesseract with English, Spanish and German
#   scripts/setup.sh --bench  also the peer programs that the benchmarks run beside Sworn
#
# Packages that are present already are left alone, so a second call needs neither network nor root.
set -eu

build="g++ cmake ninja-build pkg-config ccache"
stores="libfaiss-dev libopenblas-dev libxapian-dev libsqlite3-dev"
evidence="libssl-dev"
network="libcurl4-openssl-dev"
program="nlohmann-json3-dev libcli11-dev libseccomp-dev"
text="libicu-dev libstemmer-dev libcld2-dev libuchardet-dev"
formats="libpoppler-cpp-dev poppler-data libarchive-dev libpugixml-dev libgumbo-dev libmd4c-dev libgmime-3.0-dev"
converters="antiword catdoc unrtf universal-ctags libemail-outlook-message-perl libemail-address-perl"
tests="libgtest-dev libgmock-dev"

wanted="$build $stores $evidence $network $program $text $formats $converters $tests"
for option in "$@"; do
  case "$option" in
    --dev) wanted="$wanted clang-14 g++-aarch64-linux-gnu qemu-user clang-tidy clang-format libclang-rt-14-dev strace debootstrap" ;;
    --ocr) wanted="$wanted tesseract-ocr tesseract-ocr-spa tesseract-ocr-deu" ;;
    --bench) wanted="$wanted recollcmd" ;;
    *) echo "setup.sh: unknown option '$option' (known: --dev --ocr --bench)" >&2; exit 2 ;;
  esac
done

missing=""
for package in $wanted; do
  case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)" in
    "install ok installed") ;;
    *) missing="$missing $package" ;;
  esac
done
if [ -z "$missing" ]; then
  exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "setup.sh: these packages are missing and neither root nor sudo is there:$missing" >&2
    exit 1
  fi
  as_root="sudo"
fi
echo "setup.sh: installing with ${as_root:+$as_root }apt-get:$missing"
if ! $as_root apt-get update -q >/dev/null; then
  echo "setup.sh: 'apt-get update' failed; trying with the package lists at hand" >&2
fi
# shellcheck disable=SC2086  # word splitting of the list is meant
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
