# Where Debian's packages come from on this machine. Sourced by the scripts beside this file.
# shellcheck shell=bash

# debian_sources SUITE: lines for a sources.list that take the suite, with its security updates,
# from the mirrors that this machine's own apt uses for its own suite.
debian_sources() {
  local uri label signed=''
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [[ ! -f $keyring ]] || signed="[signed-by=$keyring] "
  local -A seen=()
  # shellcheck disable=SC2016 # apt fills these in
  while IFS='|' read -r label uri; do
    case $label in
      Debian) label=$1 ;;
      Debian-Security) label=$1-security ;;
      *) continue ;;
    esac
    [[ -z ${seen[$label]:-} ]] || continue
    seen[$label]=1
    printf 'deb %s%s %s main\n' "$signed" "$uri" "$label"
  done < <(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' 'Component: main')
  if [[ -z ${seen[$1]:-} ]]; then
    echo "apt on this machine has no Debian mirror: 'apt-get update' first, or add one to its sources." >&2
    return 1
  fi
}
