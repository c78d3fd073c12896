// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a compilation is doing, on one line that is rewritten: on a terminal only, never in a pipe
// or a log.
#ifndef TENON_TOOLS_TENON_PROGRESS_H
#define TENON_TOOLS_TENON_PROGRESS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

namespace tenon::cli {

class Progress {
public:
  Progress() : visible(llvm::sys::Process::StandardErrIsDisplayed()) {}
  ~Progress() { clear(); }

  void show(llvm::StringRef phase) {
    if (visible)
      llvm::errs() << "\r\x1b[2K" << phase << " ...";
    shown = visible;
  }
  void clear() {
    if (shown)
      llvm::errs() << "\r\x1b[2K";
    shown = false;
  }

private:
  bool visible, shown = false;
};

} // namespace tenon::cli

#endif // TENON_TOOLS_TENON_PROGRESS_H
