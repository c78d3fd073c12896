// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions that write the bodies of contrib operators, by family, and what the families share.

#ifndef TENON_LIB_IMPORT_CONTRIB_CONTRIBBODIES_H
#define TENON_LIB_IMPORT_CONTRIB_CONTRIBBODIES_H

#include "lib/import/FunctionBodies.h"

namespace tenon::import {

using Value = BodyBuilder::Value;
using Body = std::optional<proto::FunctionProto>;
inline constexpr int32_t kFloat = proto::TensorProto::FLOAT;
inline constexpr int32_t kInteger = proto::TensorProto::INT64;

//--- parts of bodies; a value that is empty is absent -------------------------------------------

inline Value getOptionalInput(BodyBuilder &body, int index) {
  return body.hasInput(index) ? body.getInput(index) : Value();
}
/// The sum of what is there of both.
Value addOptional(BodyBuilder &body, Value left, Value right);
/// [B, S, N * H] as [B, N, S, H], and back.
Value splitHeads(BodyBuilder &body, Value rows, int64_t heads);
Value joinHeads(BodyBuilder &body, Value heads);
/// query key^T * scale, of [B, N, S, H] and [B, N, T, H]; a scale of 0 stands for 1 / sqrt(H).
Value makeScores(BodyBuilder &body, Value query, Value key, double scale, int32_t type);
/// RotaryEmbedding; `heads` is 0 where the input has rank 4, `rotated` 0 where all of a head is.
Value rotate(BodyBuilder &body, Value input, Value cosines, Value sines, Value positions,
             int64_t rotated, bool isInterleaved, int64_t heads);
/// An activation by its name, with up to three parameters; empty if there is none of that name.
Value activate(BodyBuilder &body, Value value, llvm::StringRef name,
               const std::vector<double> &parameters, int32_t type);

/// The attributes of a convolution or a pooling that ai.onnx has as well.
std::vector<BodyBuilder::Attribute> getWindowAttributes(BodyBuilder &body);
/// [N, C, spatial...] as [N, spatial..., C], or back.
Value moveChannels(BodyBuilder &body, Value value, size_t rank, bool toEnd);

/// Codes of few bits and the type that they have: that of the bits where they are a weight, else
/// uint8.
struct Codes {
  Value value;
  int32_t type;
};
/// The operand `index`, bytes of codes of 2, 4 or 8 bits, as a tensor of codes of `shape`.
Codes unpackInput(BodyBuilder &body, int index, int64_t bits, std::vector<int64_t> shape);
/// A tensor of one value of a type that holds codes.
Value fillCodes(BodyBuilder &body, int64_t code, const std::vector<int64_t> &shape, int32_t type);

//--- attention ----------------------------------------------------------------------------------

Body writeAttention(BodyBuilder &body);
Body writeQAttention(BodyBuilder &body);
Body writeMultiHeadAttention(BodyBuilder &body);
Body writeGroupQueryAttention(BodyBuilder &body);
Body writeRotaryEmbedding(BodyBuilder &body);
Body writeMRotaryEmbedding(BodyBuilder &body);
Body writeLinearAttention(BodyBuilder &body);
Body writeCausalConvWithState(BodyBuilder &body);

//--- normalisation and activations --------------------------------------------------------------

Body writeLayerNormalization(BodyBuilder &body);
Body writeSimplifiedLayerNormalization(BodyBuilder &body);
Body writeSkipLayerNormalization(BodyBuilder &body);
Body writeSkipSimplifiedLayerNormalization(BodyBuilder &body);
Body writeEmbedLayerNormalization(BodyBuilder &body);
Body writeQEmbedLayerNormalization(BodyBuilder &body);
Body writeGroupNorm(BodyBuilder &body);
Body writeSkipGroupNorm(BodyBuilder &body);
Body writeGelu(BodyBuilder &body);
Body writeBiasGelu(BodyBuilder &body);
Body writeFastGelu(BodyBuilder &body);
Body writeQuickGelu(BodyBuilder &body);
Body writeBiasSplitGelu(BodyBuilder &body);
Body writeBiasSoftmax(BodyBuilder &body);
Body writeBiasAdd(BodyBuilder &body);
Body writeBiasDropout(BodyBuilder &body);

//--- products -----------------------------------------------------------------------------------

Body writeFusedMatMul(BodyBuilder &body);
Body writeFusedMatMulActivation(BodyBuilder &body);
Body writeFusedGemm(BodyBuilder &body);
Body writeGemmFastGelu(BodyBuilder &body);
Body writeFusedConv(BodyBuilder &body);
Body writeNhwcConv(BodyBuilder &body);
Body writeMatMulNBits(BodyBuilder &body);
Body writeMatMulNBitsMlp(BodyBuilder &body);
Body writeMatMulNBitsQkv(BodyBuilder &body);
Body writeMatMulBnb4(BodyBuilder &body);
Body writeGatherBlockQuantized(BodyBuilder &body);
Body writeMoe(BodyBuilder &body);
Body writeQMoe(BodyBuilder &body);

//--- quantised ----------------------------------------------------------------------------------

Body writeQLinearAdd(BodyBuilder &body);
Body writeQLinearMul(BodyBuilder &body);
Body writeQLinearSigmoid(BodyBuilder &body);
Body writeQLinearLeakyRelu(BodyBuilder &body);
Body writeQLinearSoftmax(BodyBuilder &body);
Body writeQLinearReduceMean(BodyBuilder &body);
Body writeQLinearAveragePool(BodyBuilder &body);
Body writeQLinearGlobalAveragePool(BodyBuilder &body);
Body writeQLinearConcat(BodyBuilder &body);
Body writeQLinearWhere(BodyBuilder &body);
Body writeQLinearConv(BodyBuilder &body);
Body writeQuantizeLinear(BodyBuilder &body);
Body writeDequantizeLinear(BodyBuilder &body);
Body writeMatMulIntegerToFloat(BodyBuilder &body);
Body writeDynamicQuantizeMatMul(BodyBuilder &body);
Body writeQGemm(BodyBuilder &body);
Body writeMulInteger(BodyBuilder &body);
Body writeMatMulInteger16(BodyBuilder &body);
Body writeReduceSumInteger(BodyBuilder &body);
Body writeDynamicQuantizeLstm(BodyBuilder &body);

//--- elements and their movement ----------------------------------------------------------------

Body writeExpandDims(BodyBuilder &body);
Body writeRange(BodyBuilder &body);
Body writePad(BodyBuilder &body);
Body writeGridSample(BodyBuilder &body);
Body writeInverse(BodyBuilder &body);
Body writeTrilu(BodyBuilder &body);
Body writeUnique(BodyBuilder &body);
Body writeGatherNd(BodyBuilder &body);
Body writeTorchEmbedding(BodyBuilder &body);
Body writeUnfoldTensor(BodyBuilder &body);
Body writeNGramRepeatBlock(BodyBuilder &body);
Body writeNhwcMaxPool(BodyBuilder &body);
Body writeCropAndResize(BodyBuilder &body);
Body writeCDist(BodyBuilder &body);
Body writeComplexMul(BodyBuilder &body);
Body writeComplexMulConj(BodyBuilder &body);
Body writeRfft(BodyBuilder &body);
Body writeSwiGlu(BodyBuilder &body);
Body writeScaledSiLu(BodyBuilder &body);
Body writeGatedRmsNorm(BodyBuilder &body);
Body writeAffine(BodyBuilder &body);
Body writeScale(BodyBuilder &body);
Body writeScaledTanh(BodyBuilder &body);
Body writeParametricSoftplus(BodyBuilder &body);
Body writeImageScaler(BodyBuilder &body);
Body writeCrop(BodyBuilder &body);
Body writeThresholdedRelu(BodyBuilder &body);

} // namespace tenon::import

#endif // TENON_LIB_IMPORT_CONTRIB_CONTRIBBODIES_H
