#!/bin/sh
# Install the CPU build of torch, as pinned. On Linux the plain package brings gigabytes of CUDA, so the
# build marked +cpu is asked for: from where pip looks anyway, else from PyTorch's own index.
set -eu
python=$1
version=$(sed -n 's/^torch==//p' constraints.txt)
"$python" -c 'import torch' 2>/dev/null && exit 0
pip() { "$python" -m pip install --quiet --disable-pip-version-check "$@"; }
case "$(uname -s)-$(uname -m)" in
Linux-x86_64)
    pip -c constraints.txt "torch==$version+cpu" 2>/dev/null ||
        pip -c constraints.txt "torch==$version+cpu" --extra-index-url https://download.pytorch.org/whl/cpu
    ;;
*) pip -c constraints.txt "torch==$version" ;;
esac
