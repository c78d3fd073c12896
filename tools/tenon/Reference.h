// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ONNX Runtime in a Python child process, as a second opinion on results and on speed.
//
// The child lives as long as the object and is driven over two pipes, so that timed runs can take
// turns with ours. Its program is tools/scripts/onnxruntime_reference.py, carried inside this
// executable.
#ifndef TENON_TOOLS_TENON_REFERENCE_H
#define TENON_TOOLS_TENON_REFERENCE_H

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <cstdio>
#include <string>
#include <sys/types.h>

namespace tenon::cli {

class Reference {
public:
  /// Starts the child. `python` is a program that can import onnxruntime; empty: TENON_PYTHON, then
  /// venv/bin/python above this executable, then python3. That onnxruntime is missing shows with
  /// the first request.
  static llvm::Expected<Reference> start(llvm::StringRef python);

  Reference(Reference &&other);
  ~Reference();

  /// Loads a model; `optimize` false runs each node as written. Returns ONNX Runtime's version.
  llvm::Expected<std::string> load(llvm::StringRef model, unsigned threads, bool optimize);
  /// Takes the inputs from a .npz file.
  llvm::Error feed(llvm::StringRef inputs);
  /// Runs once; the milliseconds it took inside the child.
  llvm::Expected<double> time();
  /// Runs once and writes the outputs as .npz.
  llvm::Error save(llvm::StringRef outputs);

private:
  Reference() = default;
  llvm::Expected<llvm::json::Object> request(llvm::json::Object request);

  pid_t child = -1;
  FILE *requests = nullptr, *answers = nullptr;
};

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_REFERENCE_H
