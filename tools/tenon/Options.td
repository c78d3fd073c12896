// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every option of the command, once; a visibility per subcommand says where it is taken. `--help` prints this table.

include "llvm/Option/OptParser.td"

def CompileVis : OptionVisibility;
def RunVis : OptionVisibility;
def BenchVis : OptionVisibility;
def VerifyVis : OptionVisibility;
def InspectVis : OptionVisibility;
def ExplainVis : OptionVisibility;

defvar Everywhere = [CompileVis, RunVis, BenchVis, VerifyVis, InspectVis, ExplainVis];
defvar Compiling = [CompileVis, BenchVis, VerifyVis, ExplainVis];
defvar Running = [RunVis, BenchVis, VerifyVis];

class Switch<string name, list<OptionVisibility> where, string help>
    : Flag<["--"], name>, Visibility<where>, HelpText<help>;

/// An option with a value: `--name value` and `--name=value` are the same.
multiclass Setting<string name, list<OptionVisibility> where, string value, string help> {
  def NAME : Separate<["--"], name>, Visibility<where>, MetaVarName<value>, HelpText<help>;
  def NAME#_joined : Joined<["--"], name#"=">, Alias<!cast<Option>(NAME)>, Visibility<where>;
}

def help : Switch<"help", Everywhere, "Show this text">;
def help_short : Flag<["-"], "h">, Alias<help>, Visibility<Everywhere>;
def json : Switch<"json", Everywhere, "Print one JSON object instead of text">;

// What is compiled, and for what.
def output : Separate<["-"], "o">, Visibility<[CompileVis]>, MetaVarName<"<file>">, HelpText<"The file to write">;
defm target : Setting<"target", Compiling, "<target>", "cpu (this computer's, the default), cpu:x86-64-v3, cpu:sapphirerapids, cpu:aarch64, …">;
defm dim : Setting<"dim", Everywhere, "<name=size>", "A dynamic dimension's size (batch=4), or when compiling its bounds too (batch=1..64); repeatable">;
def O0 : Flag<["-"], "O0">, Visibility<Compiling>, HelpText<"The reference: no layout, fusion, tiling or vectorisation">;
def O2 : Flag<["-"], "O2">, Visibility<Compiling>, HelpText<"Everything (default)">;
defm emit : Setting<"emit", [CompileVis], "<form>", "artifact (default), or object: an object file and a C header to link into a program">;
defm stop_after : Setting<"stop-after", [CompileVis], "<phase>", "Stop after a phase and print its IR (to -o when given)">;
defm dump_after : Setting<"dump-after", [CompileVis], "<phase>", "Print the IR after a phase to the standard error; repeatable">;
// For Tenon's own tests, hence without help: a pass that breaks an invariant is named, not the phase that it belongs to.
def verify_each : Flag<["--"], "verify-each">, Visibility<Compiling>;
def verbose : Flag<["-"], "v">, Visibility<Compiling>, HelpText<"Show each phase with its time and memory">;

// What it runs on.
defm inputs : Setting<"inputs", Running, "<what>", "in.npz, a folder with NAME.npy or input_<i>.pb, or 'random'">;
defm outputs : Setting<"outputs", [RunVis], "<where>", "out.npz, or a folder (made if missing) for output_<i>.pb">;
defm range : Setting<"range", Running, "<name=lo..hi>", "Bounds of a random input (hi itself is never drawn); repeatable">;
defm seed : Setting<"seed", Running, "<number>", "Of random inputs (default 0)">;
defm threads : Setting<"threads", Running, "<number>", "Threads to run with (default: one per core)">;

// Measuring and comparing.
defm expected : Setting<"expected", [VerifyVis], "<what>", "What the outputs should be, as --inputs (default: what ONNX Runtime computes); one for each --inputs">;
defm runs : Setting<"runs", [BenchVis], "<number>", "Timed runs (default: as many as fit in three seconds, 10 to 1000)">;
def profile : Switch<"profile", [BenchVis], "Also show how long each kernel takes">;
defm against : Setting<"against", [BenchVis], "<other>", "onnxruntime: time the same model there in turns, and print the ratio">;
defm tolerance : Setting<"tolerance", [VerifyVis], "<number>", "Largest difference, as a fraction of the output's largest magnitude (default: 1e-3 for f32)">;
defm elementwise : Setting<"elementwise", [VerifyVis], "<relative,absolute>", "Instead of --tolerance: each element may differ by absolute + relative times its expected magnitude">;
defm model : Setting<"model", [BenchVis], "<file>", "The .onnx file to time in ONNX Runtime when a compiled file is timed here">;
defm runner : Setting<"runner", [VerifyVis], "<command>", "What runs the compiled model instead of this process: tenon-run, perhaps in an emulator">;
defm python : Setting<"python", [BenchVis, VerifyVis], "<program>", "A Python that can import onnxruntime (default: TENON_PYTHON, build/venv, python3)">;
def all_kernels : Switch<"kernels", [InspectVis], "List every kernel">;
def check : Switch<"check", [InspectVis], "Also check the hashes of the weights">;
