#!/usr/bin/env bash
# Make `cargo build --target wasm32-wasip2` work with the active rustup toolchain.
#
# 1. already there            -> nothing to do
# 2. rustup can fetch it      -> rustup target add
# 3. rustup cannot reach its server, Debian's mirror can be reached
#                             -> build the target's std from Debian's rust-src of the SAME rustc version,
#                                with Debian's wasi-libc, and install it in the toolchain's sysroot
# Step 3 takes about a minute; it needs apt-get, dpkg-deb, network to the mirror that apt already uses.
set -euo pipefail
target=wasm32-wasip2
sysroot=$(rustc --print sysroot)
libdir=$sysroot/lib/rustlib/$target/lib
have() { compgen -G "$libdir/libstd-*.rlib" >/dev/null && [[ -e $libdir/self-contained/crt1-reactor.o ]]; }

have && { echo "$target: present"; exit 0; }
if timeout 60 rustup target add "$target" >/dev/null 2>&1 && have; then echo "$target: added by rustup"; exit 0; fi

version=$(rustc -vV | sed -n 's/^release: //p')
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,none,debs,root}
give_up() { echo "$target: $1; run: rustup target add $target" >&2; exit 1; }
sites=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | grep -v security | sort -u || true)
mirror=$(grep -m1 '/debian$' <<< "$sites" || true)
if [[ -z $mirror ]]; then
  sources=(/etc/apt/sources.list.d/*.sources)
  mirror=$(sed -n 's/^URIs: *\([^ ]*\/debian\) *$/\1/p' "${sources[@]}" 2>/dev/null | head -n 1 || true)
fi
[[ -n $mirror ]] || give_up "no Debian mirror is configured in apt"
for suite in bookworm-backports trixie trixie-backports forky sid; do
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
done > "$work/sources.list"
cat > "$work/apt.conf" <<C
Dir::State::Lists "$work/lists";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "$work/none";
Dir::Cache "$work/cache";
APT::Sandbox::User "root";
C
export APT_CONFIG=$work/apt.conf
apt-get -q update >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
pick() { apt-cache madison "$1" | awk -F'|' '{gsub(/ /,"",$2); print $2}' | grep -m1 "$2"; }
src=$(pick rust-src "^$version+") || give_up "Debian has no rust-src $version"
libc=$(pick wasi-libc '.')
(cd "$work/debs" && apt-get -q download "rust-src=$src" "wasi-libc=$libc" >>"$work/log" 2>&1)
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
unset APT_CONFIG

library=$work/root/usr/src/rustc-$version/library
hash=$(rustc -vV | sed -n 's/^commit-hash: //p')
flags="-Cembed-bitcode=yes -Cdebuginfo=0 -Zforce-unstable-if-unmarked -L $work/root/usr/lib/$target"
RUSTC_BOOTSTRAP=1 __CARGO_DEFAULT_LIB_METADATA=stablestd \
RUSTFLAGS="$flags --remap-path-prefix=$library=/rustc/$hash/library" \
  cargo build -q --release --target "$target" --target-dir "$work/target" \
  --manifest-path "$library/sysroot/Cargo.toml" --features panic-unwind 2>>"$work/log" ||
  { tail -n 40 "$work/log" >&2; exit 1; }
mkdir -p "$libdir/self-contained"
cp "$work/target/$target"/release/deps/*.rlib "$libdir/"
cp "$work/root/usr/lib/$target"/{crt1-command.o,crt1-reactor.o,libc.a} "$libdir/self-contained/"
have && echo "$target: std $version built from Debian's rust-src $src and wasi-libc $libc"
