#!/bin/bash -eu
exec bash -eu "$SRC/sallyport/deploy/build-targets.sh"
