#!/bin/sh
# Builds assets/plotly.min.js: the part of plotly.js that the charts use, a tenth of the whole to start.
# Run it from the project's folder after an update of plotly; it needs npm, and nothing else does.
set -eu

version=$(.venv/bin/python -c "from plotly.offline import get_plotlyjs_version as v; print(v())")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --ignore-scripts --no-audit --no-fund "plotly.js@$version" esbuild@0.28.2
cat > "$folder/entry.js" <<'JS'
const Plotly = require('plotly.js/lib/core');
Plotly.register([require('plotly.js/lib/bar'), require('plotly.js/lib/heatmap')]);
module.exports = Plotly;
JS
"$folder/node_modules/.bin/esbuild" "$folder/entry.js" --bundle --minify --format=iife \
    --global-name=Plotly --target=es2016 --define:global=window --define:define.amd=false \
    --alias:regl=@plotly/regl --alias:stream=stream-browserify \
    --banner:js="/* plotly.js $version (scatter, bar, heatmap), MIT: licenses/plotly.txt */" \
    --log-level=warning --outfile="$folder/plotly.min.js"
cp "$folder/plotly.min.js" assets/plotly.min.js
cp "$folder/node_modules/plotly.js/LICENSE" assets/licenses/plotly.txt
