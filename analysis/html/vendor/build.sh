#!/usr/bin/env bash
# Builds echarts.min.js, the parts of Apache ECharts that entry.js names, and copies its licence.
# Needs npm; nothing else here does. `make echarts`
set -euo pipefail
ECHARTS=6.1.0
ESBUILD=0.28.2
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
echo '{"private": true}' > package.json
npm install --silent --no-audit --no-fund "echarts@$ECHARTS" "esbuild@$ESBUILD"
cp "$here/entry.js" .
npx esbuild entry.js --bundle --minify --format=iife --target=es2020 --legal-comments=none \
	--log-level=warning --banner:js="/* Apache ECharts $ECHARTS, Apache License 2.0 */" \
	--outfile="$here/echarts.min.js"
cp node_modules/echarts/LICENSE node_modules/echarts/NOTICE "$here"
