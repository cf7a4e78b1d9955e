# What Troupe needs on a machine: found, or installed. Each `set_up_*` function is quick when
# nothing is missing. Sourced by ./troupe, which sets root, state and logs.
# shellcheck shell=bash disable=SC2154

# The Python versions that Troupe makes images for. A client asks for the one it runs on.
pythons=(3.13 3.11)

# ---- the machine -----------------------------------------------------------------------------

# need_root WHY: ends the command where it isn't run by root.
need_root() {
  ((EUID == 0)) || fail "$1 needs root; this is $(id -un)." "Run it again as root, for example: sudo $invoked"
}

# locked COMMAND...: one set-up or build at a time in this folder; a second one waits for the first.
locked() {
  local lock status=0
  exec {lock}>"$state/lock"
  if ! flock -n "$lock"; then
    say 'Another ./troupe is setting up or building here; waiting for it.'
    flock "$lock"
  fi
  "$@" || status=$?
  flock -u "$lock"
  exec {lock}>&-
  return "$status"
}

# system: the machine's distribution as people say it.
system() { (. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-Linux}") || printf 'this system'; }

is_debian_12() { (. /etc/os-release 2>/dev/null && [[ ${ID:-} == debian && ${VERSION_ID:-} == 12 ]]); }

# ---- Debian packages -------------------------------------------------------------------------

# need_apt NAME...: ends the command where these are missing and this script can't install them.
need_apt() {
  local names
  printf -v names ', %s' "$@"
  ! lacks apt-get ||
    fail "$(system) lacks what Troupe needs, and this script installs packages only with apt." \
      "Install these and run the command again: ${names#, }."
  need_root "Installing ${names#, }"
}

mend_apt='Check that this machine reaches its package mirror (apt-get update must succeed), then run the command again.'

apt_lists='' # fresh, or stale: after apt_update
apt_update() {
  [[ -z $apt_lists ]] || return 0
  apt_lists=fresh
  # One broken source fails this, and need not hinder us: the installation tells.
  if ! step apt-update 'Updating the package lists' apt-get update --error-on=any -o Acquire::Retries=2; then
    apt_lists=stale
    say '    Going on with the lists that are here.'
  fi
}

# apt_has PACKAGE: whether apt could install it.
apt_has() { [[ $(apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [^\(] ]]; }

apt_install() {
  apt_update
  step apt-install "Installing $*" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@" ||
    fail "apt could not install: $*." "$mend_apt"
}

# ---- JDK, Maven and what containers need -----------------------------------------------------

# find_jdk: sets JAVA_HOME to a JDK 25: the user's, the system's, or the one we unpacked.
find_jdk() {
  local home
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$(private_jdk)"; do
    if [[ -x $home/bin/javac && -r $home/release && $(<"$home/release") == *JAVA_VERSION=\"25[.\"]* ]]; then
      export JAVA_HOME=$home
      return 0
    fi
  done
  return 1
}

# private_jdk: the JDK under .troupe, if it was unpacked at the place where this folder still is.
private_jdk() {
  local home
  [[ $(cat "$state/jdk.place" 2>/dev/null) == "$state/jdk" ]] || return 0
  for home in "$state"/jdk/usr/lib/jvm/java-25-openjdk-*; do printf '%s' "$home"; done
}

unpack_private_jdk() {
  step jdk "Unpacking Debian 13's JDK 25 into .troupe/jdk" "$root/scripts/private-jdk" "$state/jdk" ||
    fail 'JDK 25 could not be unpacked.' \
      'Check that this machine reaches its package mirror, or install a JDK 25 yourself and set JAVA_HOME to it.'
  printf '%s\n' "$state/jdk" >"$state/jdk.place"
}

# lacks PROGRAM...: whether none of them is installed.
lacks() {
  local program
  for program; do
    [[ ! -x $(type -P "$program") ]] || return 1
  done
}

# missing_packages build|server: the Debian packages whose programs are not here.
missing_packages() {
  if lacks mvn; then echo maven; fi
  [[ $1 == server ]] || return 0
  if lacks runc; then echo runc; fi
  if lacks mmdebstrap debootstrap; then echo mmdebstrap; fi
  if lacks ip; then echo iproute2; fi
  if lacks mkfs.ext4; then echo e2fsprogs; fi
  if lacks nft; then echo nftables; fi
  if lacks curl; then echo curl; fi
  if [[ ! -f /usr/share/keyrings/debian-archive-keyring.gpg ]]; then echo debian-archive-keyring; fi
  if [[ ! -f /etc/ssl/certs/ca-certificates.crt ]]; then echo ca-certificates; fi
}

# set_up build|server: a JDK and Maven; for a server also what runs containers and makes images.
set_up() {
  [[ $(uname -sm) == 'Linux x86_64' ]] || fail "Troupe runs on Linux x86_64 only; this is $(uname -sm)."
  [[ $1 != server ]] || need_root 'Running containers'
  if ! find_jdk || [[ -n $(missing_packages "$1") ]]; then
    locked install_missing "$1"
    find_jdk || fail 'No JDK 25 was found after the set-up.' "See $logs."
  fi
}

install_missing() {
  local packages jdk=''
  mapfile -t packages < <(missing_packages "$1")
  if ! find_jdk; then
    need_apt "${packages[@]}" 'a JDK 25'
    apt_update
    if apt_has openjdk-25-jdk-headless; then
      packages=(openjdk-25-jdk-headless "${packages[@]}")
    elif is_debian_12; then
      jdk=private
      packages+=(patchelf ca-certificates-java debian-archive-keyring)
    elif [[ $apt_lists == stale ]]; then
      fail 'apt has no JDK 25 in its lists, and could not update them.' "$mend_apt"
    else
      fail "$(system) has no package of JDK 25, which Troupe is built with." \
        'Install one (Eclipse Temurin, Oracle and others offer it), set JAVA_HOME to its folder and run the command again.'
    fi
  fi
  if ((${#packages[@]} > 0)); then
    need_apt "${packages[@]}"
    apt_install "${packages[@]}"
  fi
  if [[ -n $jdk ]]; then unpack_private_jdk; fi
}

# ---- what only tests need --------------------------------------------------------------------

# set_up_test_tools: a C compiler, for the stand-in of a driver's library; S3Proxy for the tests of blobs; a
# registry server for those of images, and PostgreSQL for those of stores: the system's, or Debian's packages
# unpacked, since installing them would start servers.
set_up_test_tools() {
  if lacks cc; then locked install_compiler; fi
  [[ -d $state/s3proxy/lib ]] || locked fetch_s3proxy
  export TROUPE_S3PROXY=$state/s3proxy/lib
  if lacks docker-registry "$state/docker-registry/usr/bin/docker-registry"; then locked unpack_registry; fi
  if ! find_postgres; then
    locked unpack_postgres
    find_postgres || fail 'PostgreSQL, which tests need, was unpacked and does not run.' "See $logs."
  fi
}

# find_postgres: sets TROUPE_POSTGRES, for the tests, to the folder of programs of a PostgreSQL 15 or newer.
find_postgres() {
  local bin version
  for bin in /usr/lib/postgresql/*/bin "$state"/postgresql/usr/lib/postgresql/*/bin; do
    version=${bin%/bin} version=${version##*/}
    if [[ -x $bin/initdb && -x $bin/pg_dump && $version =~ ^[0-9]+$ ]] && ((version >= 15)) &&
      LD_LIBRARY_PATH=$bin/../../../x86_64-linux-gnu "$bin/postgres" --version >/dev/null 2>&1; then
      export TROUPE_POSTGRES=$bin
      return 0
    fi
  done
  return 1
}

unpack_postgres() {
  apt_update
  step postgresql "Unpacking Debian's PostgreSQL into .troupe, for the tests" download_postgres ||
    fail 'PostgreSQL, which tests need, could not be had.' "$mend_apt"
}

# download_postgres: the server that Debian's metapackage names and its tools, with the libraries that are
# not here; without that of its compiler, which is not used.
download_postgres() {
  local folder=$state/postgresql server
  rm -rf "$folder"
  mkdir -p "$folder"
  server=$(apt-cache depends postgresql | sed -nE 's/.*Depends: (postgresql-[0-9]+)$/\1/p' | head -n 1)
  (
    cd "$folder"
    # shellcheck disable=SC2046
    apt-get download "$server" "${server/-/-client-}" $(apt-get install --simulate --no-install-recommends "$server" |
      sed -nE '/^Inst lib(llvm|.*-perl|z3|json-perl)/d; s/^Inst (lib[^ ]+).*/\1/p')
    for package in *.deb; do dpkg-deb -x "$package" .; done
    rm -- *.deb
  )
}

fetch_s3proxy() {
  step s3proxy 'Fetching S3Proxy, for the tests' download_s3proxy ||
    fail 'S3Proxy, a server that tests have for S3, could not be had.' \
      'Check that Maven reaches Maven Central or the mirror in its settings, then run the command again.'
}

download_s3proxy() {
  rm -rf "$state/s3proxy"
  maven --file scripts/s3proxy/pom.xml org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$state/s3proxy/unfinished" &&
    mv "$state/s3proxy/unfinished" "$state/s3proxy/lib"
}

install_compiler() {
  need_apt gcc libc6-dev
  apt_install gcc libc6-dev
}

unpack_registry() {
  apt_update
  step docker-registry "Unpacking Debian's docker-registry into .troupe, for the tests" download_registry ||
    fail 'docker-registry, a registry server that tests need, could not be had.' "$mend_apt"
}

download_registry() {
  local folder=$state/docker-registry
  rm -rf "$folder"
  mkdir -p "$folder"
  (cd "$folder" && apt-get download docker-registry && dpkg-deb -x docker-registry_*.deb .)
}

# ---- the official client ---------------------------------------------------------------------

# client_versions: those of conformance/clients.txt, one a line.
client_versions() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$root/conformance/clients.txt"; }

# usable_python PROGRAM: a Python of a version with images, able to make a virtual environment.
usable_python() {
  local version
  version=$("$1" -c 'import ensurepip, sys, venv; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) &&
    [[ " ${pythons[*]} " == *" $version "* ]]
}

# find_python: sets `python` to the first usable one: the user's own, then the system's.
find_python() {
  for python in python3 "${pythons[@]/#/python}" /usr/bin/python3; do
    ! usable_python "$python" || return 0
  done
  return 1
}

# set_up_client VERSION: a virtual environment with this client ("newest": as of its installation).
# Sets `venv` to its folder.
set_up_client() {
  venv=$state/venv/$1
  [[ -f $venv/.client && -x $venv/bin/python ]] || locked install_client "$1"
}

# client_in VENV: the version of the client that it holds.
client_in() { cat "$1/.client"; }

install_client() {
  local package=modal
  [[ $1 == newest ]] || package+="==$1"
  if ! find_python; then
    need_apt python3-venv
    apt_install python3 python3-venv
    find_python || fail "The Modal client needs Python ${pythons[0]} or ${pythons[1]} here, the versions that Troupe makes images for." \
      "Install one of them, with its venv module, as python${pythons[0]} or python${pythons[1]} in the PATH, and run the command again."
  fi
  rm -rf "$venv"
  step "client-$1" "Installing the Modal client ($1)" install_into_new_venv "$package" ||
    fail "The package $package could not be installed from PyPI." \
      'Check that pip reaches PyPI or the mirror in its configuration, then run the command again.'
  note_client_version
}

install_into_new_venv() {
  "$python" -m venv "$venv" && "$venv/bin/python" -m pip install --disable-pip-version-check "$1"
}

note_client_version() {
  "$venv/bin/python" -c 'from importlib.metadata import version; print(version("modal"))' >"$venv/.client"
}

# refresh_newest_client: takes a newer client where the one called "newest" was looked up over a day ago.
refresh_newest_client() {
  set_up_client newest
  [[ -n $(find "$venv/.client" -mtime +0) ]] || return 0
  step client-newest 'Looking for a newer Modal client' \
    "$venv/bin/python" -m pip install --disable-pip-version-check --upgrade modal ||
    say '    Going on with the one that is here.'
  note_client_version
}

# set_up_conformance VERSION: set_up_client, and what the conformance tests need beside it.
set_up_conformance() {
  local requirements=$root/conformance/requirements.txt
  set_up_client "$1"
  [[ ! $venv/.conformance -nt $requirements ]] || return 0
  step "conformance-$1" "Installing what the conformance tests need ($1)" \
    "$venv/bin/python" -m pip install --disable-pip-version-check -r "$requirements" ||
    fail 'The packages of conformance/requirements.txt could not be installed from PyPI.' \
      'Check that pip reaches PyPI or the mirror in its configuration, then run the command again.'
  touch "$venv/.conformance"
}

# ---- the distribution ------------------------------------------------------------------------

distribution=$root/launcher/target/troupe
server=$distribution/bin/troupe-server

# sources_fingerprint: changes with any file that the distribution is made of.
sources_fingerprint() {
  (cd "$root" && find pom.xml .mvn ./*/pom.xml ./*/src -path './*/src/test' -prune -o \
    -type f -printf '%p %s %T@\n' | sort | cksum)
}

# cache_fingerprint: changes with what the JVM's start cache is made of, the JVM and the jars.
cache_fingerprint() {
  { cat "$JAVA_HOME/release" && find "$distribution/lib" -name '*.jar' -printf '%f %s %T@\n' | sort; } | cksum
}

# is_built: whether the distribution is there and no source changed since.
is_built() { [[ -x $server && $(cat "$root/launcher/target/sources" 2>/dev/null) == "$(sources_fingerprint)" ]]; }

has_start_cache() {
  [[ -f $distribution/lib/troupe.aot && $(cat "$root/launcher/target/start-cache" 2>/dev/null) == "$(cache_fingerprint)" ]]
}

# build: makes the distribution where sources changed, and the start cache where jars or JDK did.
build() {
  if ! is_built || ! has_start_cache; then locked build_changed; fi
}

build_changed() {
  local sources
  if ! is_built; then
    sources=$(sources_fingerprint)
    step build 'Building the server' maven package -Dmaven.test.skip=true ||
      fail 'The build failed; the lines above name the error.' 'Once it is mended, run the command again.'
    [[ -x $server ]] || fail 'The build made no launcher/target/troupe/bin/troupe-server.' "See $logs/build.log."
    note_built "$sources"
  fi
  if ! has_start_cache; then
    if step start-cache "Making the server's start cache" "$server" aot; then
      cache_fingerprint >"$root/launcher/target/start-cache"
    else
      say '    The server works without it and starts more slowly.'
    fi
  fi
}

# note_built FINGERPRINT: remembers the sources that the distribution was made of, taken before.
note_built() { printf '%s\n' "$1" >"$root/launcher/target/sources"; }

maven() { (cd "$root" && mvn --batch-mode --no-transfer-progress "$@"); }
