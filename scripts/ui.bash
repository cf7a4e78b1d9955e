# What a person sees of the scripts: sentences, steps with the time they took, failures with
# their log. Everything goes to standard error, so that standard output stays the command's own.
# Sourced by ./troupe, which sets `logs` to a folder.
# shellcheck shell=bash disable=SC2034,SC2154 # the script that sources this sets and uses more

if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' plain=''
fi

# say LINE...
say() { printf '%s\n' "$@" >&2; }

# fail SENTENCE...: says what is wrong and what to do, one sentence a line, and ends the command.
fail() {
  printf '%stroupe:%s %s\n' "$red" "$plain" "$1" >&2
  shift
  (($# == 0)) || printf '        %s\n' "$@" >&2
  exit 1
}

# now_ms: milliseconds of the clock, whatever sign the locale puts before the fraction.
now_ms() { printf '%s' $((${EPOCHREALTIME//[!0-9]/} / 1000)); }

# duration MILLISECONDS: for people, "0.4 s" or "3 min 20 s".
duration() {
  local tenths=$((($1 + 50) / 100))
  if ((tenths < 600)); then
    printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
  else
    printf '%d min %d s' $((tenths / 600)) $((tenths % 600 / 10))
  fi
}

# step LOG TITLE COMMAND...: runs the command with its output in $logs/LOG.log and shows one line
# with the time it took. When the command fails, shows what matters of its log and returns the
# command's status: the caller says what to do next.
step() {
  local log=$logs/$1.log title=$2 began status=0 ticker=''
  shift 2
  began=$(now_ms)
  printf '%s … ' "$title" >&2
  if [[ -t 2 ]]; then
    tick "$title" "$began" &
    ticker=$!
  fi
  ("$@") >"$log" 2>&1 </dev/null || status=$?
  if [[ -n $ticker ]]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    printf '\r\e[K%s … ' "$title" >&2
  fi
  if ((status == 0)); then
    printf '%s%s%s\n' "$dim" "$(duration $(($(now_ms) - began)))" "$plain" >&2
  else
    printf '%sfailed%s after %s\n' "$red" "$plain" "$(duration $(($(now_ms) - began)))" >&2
    show_log "$log"
  fi
  return "$status"
}

# tick TITLE BEGAN: counts the seconds of a step on the terminal, as long as the script lives.
tick() {
  while sleep 1 && kill -0 $$ 2>/dev/null; do
    printf '\r\e[K%s … %s%d s%s' "$1" "$dim" $((($(now_ms) - $2) / 1000)) "$plain" >&2
  done
}

# show_log FILE: the lines that name an error where the tool marks them, else the last ones.
show_log() {
  local lines
  lines=$(grep -E '^(\[ERROR\]|E: |ERROR)' "$1" | grep -vE '^\[ERROR\] *(-> )?(\[Help|$)' | head -n 15) ||
    lines=$(tail -n 30 "$1")
  printf '%s\n' "$lines" | sed 's/^/    /' >&2
  printf '    %sthe whole log: %s%s\n' "$dim" "$1" "$plain" >&2
}
