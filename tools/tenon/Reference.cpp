// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// posix_spawn and two pipes. LLVM's process functions redirect to files only, and a file cannot be
// waited on.
#include "tools/tenon/Reference.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;

namespace tenon::cli {

static constexpr char script[] = {
#include "tools/tenon/onnxruntime_reference.inc"
    , 0};

/// A virtual environment beside or above the executable: build/bin/tenon finds build/venv.
static std::string findPython(StringRef wanted) {
  if (!wanted.empty())
    return wanted.str();
  if (std::optional<std::string> fromEnvironment = sys::Process::GetEnv("TENON_PYTHON"))
    return *fromEnvironment;
  static char anchor;
  SmallString<128> folder(sys::fs::getMainExecutable("tenon", &anchor));
  while (sys::path::has_parent_path(folder)) {
    sys::path::remove_filename(folder);
    SmallString<128> candidate(folder);
    sys::path::append(candidate, "venv", "bin", "python");
    if (sys::fs::can_execute(candidate))
      return candidate.str().str();
  }
  return "python3";
}

Expected<Reference> Reference::start(StringRef wanted) {
  std::string python = findPython(wanted);
  int toChild[2], fromChild[2];
  if (pipe2(toChild, O_CLOEXEC) || pipe2(fromChild, O_CLOEXEC))
    return createStringError(errnoAsErrorCode(), "cannot make a pipe");
  // A child that died must show as a failed write, not end this process.
  std::signal(SIGPIPE, SIG_IGN);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO);
  const char *arguments[] = {python.c_str(), "-c", script, nullptr};
  Reference reference;
  int failed = posix_spawnp(&reference.child, python.c_str(), &actions, nullptr,
                            const_cast<char **>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(toChild[0]);
  close(fromChild[1]);
  reference.requests = fdopen(toChild[1], "w");
  reference.answers = fdopen(fromChild[0], "r");
  if (failed) {
    reference.child = -1;
    return createStringError(
        "cannot start '%s': %s; name a Python that can import onnxruntime with --python",
        python.c_str(), std::error_code(failed, std::generic_category()).message().c_str());
  }
  return reference;
}

Reference::Reference(Reference &&other)
    : child(std::exchange(other.child, -1)), requests(std::exchange(other.requests, nullptr)),
      answers(std::exchange(other.answers, nullptr)) {}

Reference::~Reference() {
  // The end of its input is what tells the child to leave.
  if (requests)
    fclose(requests);
  if (answers)
    fclose(answers);
  if (child > 0)
    waitpid(child, nullptr, 0);
}

Expected<json::Object> Reference::request(json::Object request) {
  std::string line;
  raw_string_ostream(line) << json::Value(std::move(request)) << '\n';
  char *answer = nullptr;
  size_t capacity = 0;
  ssize_t length = -1;
  if (fputs(line.c_str(), requests) >= 0 && fflush(requests) == 0)
    length = getline(&answer, &capacity, answers);
  std::string text(answer ? answer : "", length > 0 ? length : 0);
  std::free(answer);
  if (text.empty())
    return createStringError(
        "the Python process that runs ONNX Runtime ended; see its message above "
        "(can it import numpy and onnxruntime? --python names another)");
  Expected<json::Value> parsed = json::parse(text);
  if (!parsed)
    return parsed.takeError();
  json::Object *object = parsed->getAsObject();
  if (!object)
    return createStringError("the Python process that runs ONNX Runtime answered '%s'",
                             text.c_str());
  if (std::optional<StringRef> error = object->getString("error"))
    return createStringError("onnxruntime: %s", error->str().c_str());
  return std::move(*object);
}

Expected<std::string> Reference::load(StringRef model, unsigned threads, bool optimize) {
  Expected<json::Object> answer = request(
      json::Object{{"do", "load"}, {"model", model}, {"threads", threads}, {"optimize", optimize}});
  if (!answer)
    return answer.takeError();
  return answer->getString("version").value_or("").str();
}

Error Reference::feed(StringRef inputs) {
  return request(json::Object{{"do", "feed"}, {"inputs", inputs}}).takeError();
}

Expected<double> Reference::time() {
  Expected<json::Object> answer = request(json::Object{{"do", "time"}});
  if (!answer)
    return answer.takeError();
  return answer->getNumber("ms").value_or(0);
}

Error Reference::save(StringRef outputs) {
  return request(json::Object{{"do", "save"}, {"outputs", outputs}}).takeError();
}

} // namespace tenon::cli
