#!/bin/sh
# Print the path of a Chromium. Where there is none, root on Debian gets the headless one installed.
set -eu
for name in "${BROWSER_BIN:-}" chromium-headless-shell chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && command -v "$name"; then exit 0; fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "There is no Chromium. As root: apt-get install --no-install-recommends chromium-headless-shell fonts-dejavu-core" >&2
    exit 1
fi
echo "Installing chromium-headless-shell, about 100 MB …" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >&2
apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-dejavu-core >/dev/null
command -v chromium-headless-shell
