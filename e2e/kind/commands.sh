# shellcheck shell=bash
# How the scripts here call other programs: everything that is run is printed first, and with --dry-run only printed.

DRY_RUN=false

read_flags() {
  for flag in "$@"; do
    case $flag in
      --dry-run) DRY_RUN=true ;;
      *)
        echo "usage: $0 [--dry-run]" >&2
        exit 2
        ;;
    esac
  done
}

need() {
  $DRY_RUN && return
  for program in "$@"; do
    command -v "$program" >/dev/null && continue
    echo "The program $program is missing: e2e/kind/README.md says where it comes from." >&2
    exit 1
  done
}

step() { printf '\n# %s\n' "$*"; }

# A command as one could type it.
printed() {
  local word line=
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_@%+=:,./-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
    line+="${line:+ }$word"
  done
  printf '%s' "$line"
}

# run COMMAND...
run() {
  printf '%s\n' "$(printed "$@")"
  $DRY_RUN || "$@"
}

# run_with TEXT COMMAND...: with the text as its standard input.
run_with() {
  local text=$1
  shift
  printf "%s <<'END'\n%s\nEND\n" "$(printed "$@")" "$text"
  $DRY_RUN || "$@" <<<"$text"
}

# run_with_secret TEXT COMMAND...: the same, and the text is shown only while nothing in it is secret.
run_with_secret() {
  if $DRY_RUN; then
    run_with "$@"
  else
    printf '%s # with a secret\n' "$(printed "${@:2}")"
    "${@:2}" <<<"$1"
  fi
}

# answer PLACEHOLDER COMMAND...: what the command prints; with --dry-run the placeholder.
answer() {
  local placeholder=$1
  shift
  printf '%s\n' "$(printed "$@")" >&2
  if $DRY_RUN; then printf '%s' "$placeholder"; else "$@"; fi
}
