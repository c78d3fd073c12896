// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rules a module must keep, whoever made it. The writer checks them before it writes and the
// reader after it has read, so that the runtime executes without checking.

#ifndef TENON_LIB_ARTIFACT_VERIFIER_H
#define TENON_LIB_ARTIFACT_VERIFIER_H

#include "lib/artifact/Program.h"
#include "lib/artifact/Status.h"

namespace tenon::artifact {

/// Checks every index, register, kind of slot, branch target, interval and static range. Does not
/// look at bytes: that sections lie in their file, and their hashes, are the reader's to check.
/// The message of a failure names the program, the list and the instruction.
Status verifyModule(const Module &module);

/// The part of verifyModule() that looks at one program; the rest of the module must be right.
Status verifyProgram(const Module &module, const Program &program);

/// The part of verifyProgram() that looks at where temporaries lie.
Status verifyPlacement(const Program &program);

/// The bytes of a tensor with static shape, or -1 when an axis is dynamic. Fails on overflow.
Status staticBytes(const Value &value, int64_t &bytes);

/// The slot at the end of a chain of views.
uint32_t rootSlot(const Program &program, uint32_t slot);

} // namespace tenon::artifact

#endif // TENON_LIB_ARTIFACT_VERIFIER_H
