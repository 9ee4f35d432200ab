#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds examples/out-of-tree as a stranger would: against an installed SDK, in a folder of its own.
# usage: out_of_tree.sh BUILD-DIR EXAMPLE-DIR SLUICE-ADAPTER-CHECK
set -eu

build=$1 example=$2 check=$(realpath "$3")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

meson install -C "$build" --no-rebuild --quiet --destdir "$root/sdk" --tags devel
cp -r "$example" "$root/widget"
cd "$root/widget"

pc=$(find "$root/sdk" -name sluice-adapter.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$root/sdk
export PKG_CONFIG_PATH

# The root belongs to the SDK only; jansson is found where it is.
cflags=$(PKG_CONFIG_SYSROOT_DIR=$PKG_CONFIG_SYSROOT_DIR pkg-config --cflags sluice-adapter)
make --no-print-directory CFLAGS="-O2 -Wall -Wextra -Werror $cflags" CHECK="$check" check
make --no-print-directory DESTDIR="$root/sdk" install

installed=$root/sdk$(pkg-config --variable=adapterdir sluice-adapter)/widget.so
test -f "$installed"
echo "installed as ${installed#"$root/sdk"}"
