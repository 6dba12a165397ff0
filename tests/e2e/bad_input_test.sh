#!/bin/sh
# Bad input to the real program: each case must give a clear message and the right exit status, and
# what was indexed before must still be found.
#
#   tests/e2e/bad_input_test.sh PROGRAM
set -u
program=$(readlink -f "$1")
scratch=$(mktemp -d) || exit 1
mounted=""
cleanup() {
  [ -z "$mounted" ] || umount "$mounted" 2>/dev/null
  chmod -R u+rwx "$scratch" 2>/dev/null
  rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

HOME="$scratch"
SWORN_KB="$scratch/kb"
export HOME SWORN_KB
unset XDG_DATA_HOME XDG_CONFIG_HOME SWORN_CONFIG
cd "$scratch" || exit 1

case_name=""
faults=0
fault() {
  faults=$((faults + 1))
  printf 'FAULT in "%s": %s\n' "$case_name" "$1"
  sed 's/^/  out | /' "$scratch/out" | head -n 20
  sed 's/^/  err | /' "$scratch/err" | head -n 20
}
begin() { case_name=$1; printf -- '- %s\n' "$1"; }
skip() { printf '  skipped: %s\n' "$1"; }

# run STATUS ARGUMENTS...: the exit status must be STATUS.
run() {
  wanted=$1
  shift
  "$program" "$@" >"$scratch/out" 2>"$scratch/err" <"${input:-/dev/null}"
  status=$?
  [ "$status" -eq "$wanted" ] || fault "'sworn $1 ...' ended with $status, not $wanted"
}
out_has() { grep -q -e "$1" "$scratch/out" || fault "standard output lacks: $1"; }
err_has() { grep -q -i -e "$1" "$scratch/err" || fault "standard error lacks: $1"; }

# After every case: the first document is there, found and unharmed, and the log is sound.
nothing_lost() {
  run 0 search 'zanzibar treaty' -n 1
  out_has 'treaty.md'
  run 0 fsck
  run 0 audit verify
}

mkdir good
printf '# Treaty\n\nThe Zanzibar treaty was signed on 4 May 1888 in the old harbour hall.\n' >good/treaty.md
begin "a good folder, to have something to lose"
run 0 index good
out_has '^Indexed: 1 new, 0 updated, 0 unchanged, 0 removed, 0 failed, 0 skipped$'
nothing_lost

begin "an empty folder"
mkdir empty
run 0 index empty
out_has '^Indexed: 0 new, 0 updated, 0 unchanged, 0 removed, 0 failed, 0 skipped$'
nothing_lost

begin "a missing folder"
run 1 index nowhere
err_has 'nowhere'
nothing_lost

begin "an indexed folder that vanished"
mv good gone
run 1 index good
err_has 'good'
mv gone good
nothing_lost

begin "a folder without permission"
# Root may read every folder, so root becomes nobody for this case.
mkdir closed nobody
printf 'secret\n' >closed/a.txt
chmod 0 closed
as_nobody=""
if [ "$(id -u)" -eq 0 ]; then
  as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
  chmod 711 "$scratch"
  chown 65534:65534 nobody
fi
# shellcheck disable=SC2086  # word splitting of the prefix is meant
if $as_nobody "$program" --version >/dev/null 2>&1; then
  $as_nobody "$program" --kb nobody/kb index closed >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
  [ "$status" -eq 4 ] || fault "ended with $status, not 4"
  err_has 'sworn: .*closed.*denied'
else
  skip "nobody cannot run the program here"
fi
chmod 700 closed
nothing_lost

begin "an empty file"
mkdir zero
: >zero/nothing.txt
run 0 index zero
out_has ' 0 failed, 1 skipped$'
err_has 'nothing.txt.*empty'
nothing_lost

begin "a file that changes while it is read"
mkdir moving
i=0
while [ "$i" -lt 2000 ]; do
  printf 'Paragraph %d of a file that somebody keeps writing to.\n\n' "$i"
  i=$((i + 1))
done >moving/live.txt
(
  while [ ! -e stop ]; do
    printf 'One more line about the weather at sea.\n' >>moving/live.txt 2>/dev/null
    cp moving/live.txt moving/copy.txt 2>/dev/null
  done
) 2>/dev/null &
writer=$!
"$program" index moving >"$scratch/out" 2>"$scratch/err" </dev/null
status=$?
: >stop  # and not kill: a copy under way would go on behind the writer
wait "$writer"
[ "$status" -le 1 ] || fault "ended with $status"
out_has '^Indexed: '
[ "$status" -eq 0 ] || err_has 'changed'
rm -f moving/copy.txt
run 0 index moving --allow-mass-remove
run 0 search 'weather at sea' -n 1
out_has 'live.txt'
nothing_lost

begin "a corrupt PDF"
mkdir corrupt
printf '%%PDF-1.7\nthis is no PDF at all\n%%%%EOF\n' >corrupt/broken.pdf
printf 'PK\003\004 not really a zip archive' >corrupt/broken.docx
run 1 index corrupt
out_has ' 2 failed, 0 skipped$'
err_has 'broken.pdf: .'
err_has 'broken.docx: .'
nothing_lost

begin "an encrypted PDF"
mkdir encrypted
# RC4, 40 bit, revision 2, with a user password that is not empty: the dictionary alone decides.
python3 - encrypted/locked.pdf <<'PYTHON' 2>/dev/null || rm -f encrypted/locked.pdf
import sys
objects = [
    b"<< /Type /Catalog /Pages 2 0 R >>",
    b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    b"<< /Filter /Standard /V 1 /R 2 /P -4 /O <" + b"11" * 32 + b"> /U <" + b"22" * 32 + b"> >>",
]
out = b"%PDF-1.4\n"
offsets = []
for number, body in enumerate(objects, 1):
    offsets.append(len(out))
    out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
start = len(out)
out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
for offset in offsets:
    out += b"%010d 00000 n \n" % offset
out += (b"trailer\n<< /Size %d /Root 1 0 R /Encrypt 4 0 R /ID [<%s> <%s>] >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, b"33" * 16, b"33" * 16, start))
open(sys.argv[1], "wb").write(out)
PYTHON
if [ -s encrypted/locked.pdf ]; then
  run 1 index encrypted
  out_has ' 1 failed, 0 skipped$'
  err_has 'locked.pdf: .*\(encrypted\|password\)'
  nothing_lost
else
  skip "no python3 to write one"
fi

begin "a zip bomb"
mkdir bomb
if python3 - bomb/bomb.docx <<'PYTHON' 2>/dev/null; then
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("[Content_Types].xml", "<Types/>")
    with archive.open("word/document.xml", "w", force_zip64=True) as part:
        for _ in range(700):
            part.write(b"\0" * (1 << 20))
PYTHON
  before=$(date +%s)
  run 1 index bomb
  after=$(date +%s)
  [ $((after - before)) -le 20 ] || fault "took $((after - before)) s"
  out_has ' 1 failed, 0 skipped$'
  err_has 'bomb.docx: .'
  nothing_lost
else
  skip "no python3 to write one"
fi

begin "invalid UTF-8"
mkdir invalid
printf 'The caf\351 on the quay opens at nine. \377\376\300\200 It closes at five.\n' >invalid/latin.txt
printf 'hidden\342\200\256 evil \033[31m red\n' >invalid/bidi.txt
run 0 index invalid
out_has '^Indexed: 2 new'
run 0 search 'quay opens' -n 1 --json
out_has 'latin.txt'
if LC_ALL=C grep -q "$(printf '\377')" "$scratch/out"; then fault "output is not UTF-8"; fi
nothing_lost

begin "a file name with control characters"
mkdir names
name=$(printf 'names/a\033[31m\nsworn: all is well.txt')
printf 'The lighthouse keeper counts ships.\n' >"$name"
run 0 index names
run 0 search 'lighthouse keeper' -n 1
if LC_ALL=C grep -q "$(printf '\033')" "$scratch/out"; then fault "an escape sequence came through"; fi
if grep -q '^sworn: all is well' "$scratch/out"; then fault "a file name made a line of its own"; fi
nothing_lost

begin "a line of 1 GB (sparse)"
mkdir long
if truncate -s 1G long/line.txt 2>/dev/null; then
  run 1 index long
  out_has ' 1 failed, 0 skipped$'
  err_has 'line.txt: .*\(large\|bytes\|limit\)'
  nothing_lost
else
  skip "no sparse files here"
fi

begin "a line within the size limit that has no break"
mkdir wide
head -c 3000000 /dev/zero | tr '\0' 'x' >wide/line.txt
run 0 index wide
out_has '^Indexed: 1 new'
nothing_lost

begin "a full disk"
mkdir small
if mount -t tmpfs -o size=3m,mode=700 tmpfs small 2>/dev/null; then
  mounted="$scratch/small"
  mkdir bulk
  i=0
  while [ "$i" -lt 60 ]; do
    od -A n -t x4 -N 60000 /dev/urandom >"bulk/f$i.txt"
    i=$((i + 1))
  done
  run 0 --kb small/kb index good
  run 1 --kb small/kb index bulk
  err_has 'space\|full'
  run 0 --kb small/kb list
  out_has 'treaty.md'
  rm -rf bulk
  umount small && mounted=""
else
  skip "no tmpfs can be mounted here"
fi
nothing_lost

begin "standard output that is full"
if [ -w /dev/full ]; then
  "$program" list >/dev/full 2>"$scratch/err"
  [ $? -eq 1 ] || fault "a full standard output went unnoticed"
  err_has 'standard output'
else
  skip "no /dev/full"
fi

begin "a reader that goes away"
"$program" list 2>"$scratch/err" | true
[ -s "$scratch/err" ] && fault "a closed pipe made a message"

begin "Ctrl-C in the middle"
if command -v setsid >/dev/null 2>&1; then
  mkdir many
  i=0
  while [ "$i" -lt 1500 ]; do
    printf 'Lantern number %d hangs in the northern gallery.\n' "$i" >"many/l$i.txt"
    i=$((i + 1))
  done
  setsid "$program" index many >"$scratch/out" 2>"$scratch/err" </dev/null &
  job=$!
  sleep 0.4
  kill -s INT -- "-$job" 2>/dev/null  # the group, workers included, as a terminal does
  wait "$job"
  status=$?
  case "$status" in
    130) err_has 'interrupted' ;;
    0) skip "it was done before the signal came" ;;
    *) fault "ended with $status" ;;
  esac
  out_has ' 0 failed, 0 skipped$'
  run 0 index many
  out_has ' 0 failed, 0 skipped$'
  run 0 list --json --limit 1
  run 0 search 'lantern 1499 northern gallery' -n 1
  out_has 'many/l'
  nothing_lost
else
  skip "no setsid"
fi

begin "a question of 1 MB"
head -c 1000000 /dev/zero | tr '\0' 'q' >question.txt
input=question.txt
run 2 ask -
err_has '64 KiB'
run 2 search - --json
err_has '"code":"too_large"'
input=""
nothing_lost

begin "an empty question"
run 2 ask '   '
err_has 'sworn: .'

begin "an unknown collection"
run 1 search treaty --collection nowhere
err_has 'nowhere'
run 1 ask 'When was the treaty signed?' --collection nowhere
err_has 'nowhere'
run 2 collection create 'Not A Name'
err_has 'name'
nothing_lost

begin "no knowledge base"
run 3 --kb "$scratch/absent" search treaty
err_has 'sworn: .'
[ ! -e absent ] || fault "a search made a knowledge base"

begin "a settings file with an unknown key"
printf '{"wrokers": 2}' >bad.json
run 2 --config bad.json list
err_has 'wrokers'

if [ "$faults" -eq 0 ]; then
  echo "all cases passed"
else
  echo "$faults faults"
  exit 1
fi
