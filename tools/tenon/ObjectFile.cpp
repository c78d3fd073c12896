// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM writes the object, so that every machine it knows gets the right format: two constants, no
// code.
#include "tools/tenon/ObjectFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

using namespace llvm;

namespace tenon::cli {

/// "my-model.v2" -> "my_model_v2".
static std::string identifier(StringRef path) {
  std::string name;
  for (char c : sys::path::stem(path))
    name += isAlnum(c) ? c : '_';
  if (name.empty() || isDigit(name.front()))
    name.insert(0, "_");
  return name;
}

static void addConstant(Module &module, StringRef name, Constant *value, Align alignment) {
  auto *variable = new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                      GlobalValue::ExternalLinkage, value, name);
  variable->setAlignment(alignment);
}

Expected<ObjectFile> makeObjectFile(StringRef artifact, StringRef path, StringRef tripleName) {
  InitializeAllTargetInfos();
  InitializeAllTargets();
  InitializeAllTargetMCs();
  InitializeAllAsmPrinters();
  Triple triple(tripleName);
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError("no object files for '%s': %s", tripleName.str().c_str(),
                             error.c_str());
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, /*CPU=*/"", /*Features=*/"", TargetOptions(), Reloc::PIC_));

  LLVMContext context;
  Module module("model", context);
  module.setTargetTriple(triple);
  module.setDataLayout(machine->createDataLayout());
  std::string name = identifier(path);
  // A page: the runtime then uses the bytes where they are, as it does with a mapped file.
  addConstant(module, name + "_model",
              ConstantDataArray::getString(context, artifact, /*AddNull=*/false), Align(4096));
  addConstant(
      module, name + "_model_size",
      ConstantInt::get(Type::getIntNTy(context, triple.getArchPointerBitWidth()), artifact.size()),
      Align(8));

  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, /*DwoOut=*/nullptr, CodeGenFileType::ObjectFile))
    return createStringError("no object files for '%s'", tripleName.str().c_str());
  passes.run(module);

  std::string header;
  raw_string_ostream text(header);
  text << "/* A model compiled by Tenon. Load it with tenon_model_load_memory(runtime, " << name
       << "_model, " << name
       << "_model_size, ...). */\n"
          "#pragma once\n"
          "#include <stddef.h>\n"
          "#ifdef __cplusplus\n"
          "extern \"C\" {\n"
          "#endif\n"
       << "extern const unsigned char " << name << "_model[];\n"
       << "extern const size_t " << name << "_model_size;\n"
       << "#ifdef __cplusplus\n"
          "}\n"
          "#endif\n";
  return ObjectFile{std::string(object.data(), object.size()), std::move(header)};
}

} // namespace tenon::cli
