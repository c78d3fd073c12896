// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contrib operators: what each takes and gives, and who writes its body. Names, types and
// defaults are those of ONNX Runtime 1.32, which test/contrib compares the table with.

#include "lib/import/contrib/ContribBodies.h"
#include "lib/import/contrib/ContribOperators.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace tenon::import {

static constexpr const char *kFloats = "T=float,float16,bfloat16";
static constexpr const char *kAllFloats = "T=float,double,float16,bfloat16";

static constexpr const char *kEarly = "T=float16,float,double";
static constexpr const char *kBytes = "T=uint8,int8";
static constexpr const char *kAnyType =
    "T=uint8,uint16,uint32,uint64,int8,int16,int32,int64,float16,float,double,bool,string";
static constexpr const char *kNumbers =
    "T=uint8,uint16,uint32,uint64,int8,int16,int32,int64,float16,float,double,bfloat16";
static constexpr const char *kNumbersAndBool =
    "T=uint8,uint16,uint32,uint64,int8,int16,int32,int64,float16,float,double,bfloat16,bool";
static constexpr const char *kUnaryOperands =
    "X:T X_scale:float X_zero_point:T? Y_scale:float Y_zero_point:T?";

static const ContribOperator kOperators[] = {
    //--- attention ------------------------------------------------------------------------------
    {"Attention",
     "input:T weights:T bias:T? mask_index:int32? past:T? attention_bias:T? "
     "past_sequence_length:int32?",
     "output:T present:T?",
     "do_rotary:int mask_filter_value:float num_heads:int! past_present_share_buffer:int "
     "qkv_hidden_sizes:ints rotary_embedding_dim:int scale:float unidirectional:int=0",
     kFloats, writeAttention},
    {"MultiHeadAttention",
     "query:T key:T? value:T? bias:T? key_padding_mask:int32? attention_bias:T? past_key:T? "
     "past_value:T? past_sequence_length:int32? cache_indirection:int32?",
     "output:T present_key:T? present_value:T? qk:QK?",
     "mask_filter_value:float num_heads:int! scale:float unidirectional:int=0",
     "T=float,float16,bfloat16 QK=float,float16,bfloat16", writeMultiHeadAttention},
    {"GroupQueryAttention",
     "query:T key:T? value:T? past_key:C? past_value:C? seqlens_k:int32 "
     "total_sequence_length:int32 cos_cache:T? sin_cache:T? position_ids:int64? attention_bias:T? "
     "head_sink:T? k_scale:float? v_scale:float? q_norm_weight:T? k_norm_weight:T? "
     "query_seqlens:int32?",
     "output:T present_key:C? present_value:C? output_qk:T?",
     "causal:int=1 do_rotary:int k_norm_epsilon:float k_quant_type:string=NONE "
     "kv_cache_bit_width:int kv_num_heads:int! local_window_size:int=-1 num_heads:int! "
     "q_norm_epsilon:float qk_norm_epsilon:float=1e-06 qk_output:int=0 rotary_interleaved:int "
     "scale:float sliding_window_cache:int=0 smooth_softmax:int=-1 softcap:float "
     "v_quant_type:string=NONE",
     "T=float,float16,bfloat16 C=float,float16,bfloat16,uint8,int8,float8e4m3fn",
     writeGroupQueryAttention},
    {"QAttention",
     "input:T1 weight:T2 bias:T3 input_scale:T3 weight_scale:T3 mask_index:int32? "
     "input_zero_point:T1? weight_zero_point:T2? past:T3?",
     "output:T3 present:T3?",
     "do_rotary:int mask_filter_value:float num_heads:int! past_present_share_buffer:int "
     "scale:float unidirectional:int=0",
     "T1=int8,uint8 T2=int8,uint8 T3=float,float16", writeQAttention},
    {"RotaryEmbedding", "input:T position_ids:int64 cos_cache:T sin_cache:T", "output:T",
     "interleaved:int is_packed_batching:int num_heads:int rotary_embedding_dim:int scale:float",
     kFloats, writeRotaryEmbedding},

    {"MRotaryEmbedding", "input:T position_ids:int64 cos_cache:T sin_cache:T", "output:T",
     "interleaved:int is_packed_batching:int mrope_layout:int mrope_section:ints! num_heads:int "
     "rotary_embedding_dim:int scale:float",
     kFloats, writeMRotaryEmbedding},
    {"LinearAttention", "query:T key:T value:T past_state:S? decay:T? beta:T?",
     "output:T present_state:S",
     "chunk_size:int=64 kv_num_heads:int! q_num_heads:int! scale:float=0.0 state_window:int=0 "
     "update_rule:string=gated_delta",
     "T=float,float16,bfloat16 S=float,float16,bfloat16", writeLinearAttention},
    {"CausalConvWithState", "input:T weight:T bias:T? past_state:T?",
     "output:T present_state:T state_update:T?",
     "activation:string=none channels_last:int=0 dilation:int=1 input_channel_offset:int=0 "
     "input_channels:int=0 ndim:int=1 state_channels_last:int=-1 state_length:int=0 "
     "state_update_capacity:int=0 state_window:int=0",
     kFloats, writeCausalConvWithState},

    //--- normalisation and activations ----------------------------------------------------------
    {"LayerNormalization", "X:T Scale:T B:T?", "Y:T Mean:U? InvStdDev:U?",
     "axis:int=-1 epsilon:float=1e-05 stash_type:int=1",
     "T=float,double,float16,bfloat16 U=float,double", writeLayerNormalization},
    {"SimplifiedLayerNormalization", "X:T scale:V", "Y:V inv_std_var:U?",
     "axis:int=-1 epsilon:float=1e-05 stash_type:int=1",
     "T=float,double,float16,bfloat16 V=float,double,float16,bfloat16 U=float,double",
     writeSimplifiedLayerNormalization},
    {"SkipLayerNormalization", "input:T skip:T gamma:T beta:T? bias:T?",
     "output:T mean:float? inv_std_var:float? input_skip_bias_sum:T?", "epsilon:float=1e-12",
     kFloats, writeSkipLayerNormalization},
    {"SkipSimplifiedLayerNormalization", "input:T skip:T gamma:T bias:T?",
     "output:T mean:float? inv_std_var:float? input_skip_bias_sum:T?", "epsilon:float=1e-12",
     kFloats, writeSkipSimplifiedLayerNormalization},
    {"EmbedLayerNormalization",
     "input_ids:int32 segment_ids:int32? word_embedding:T position_embedding:T "
     "segment_embedding:T? gamma:T beta:T mask:int32? position_ids:int32?",
     "output:T mask_index:int32? embedding_sum:T?", "epsilon:float=1e-12 mask_index_type:int",
     "T=float,float16", writeEmbedLayerNormalization},
    {"QEmbedLayerNormalization",
     "input_ids:int32 segment_ids:int32? word_embedding_quant:Q position_embedding_quant:Q "
     "segment_embedding:Q? gamma_quant:Q beta_quant:Q mask:int32? word_embedding_scale:float "
     "position_embedding_scale:float segment_embedding_scale:float? gamma_scale:float "
     "beta_scale:float word_embedding_zero_point:Q position_embedding_zero_point:Q "
     "segment_embedding_zero_point:Q? gamma_zero_point:Q beta_zero_point:Q",
     "layernorm_out:float mask_index_out:int32", "epsilon:float=1e-12", "Q=int8,uint8",
     writeQEmbedLayerNormalization},
    {"GroupNorm", "X:T gamma:M beta:M", "Y:T",
     "activation:int! channels_last:int=1 epsilon:float=1e-05 groups:int!",
     "T=float,float16 M=float,float16", writeGroupNorm},
    {"SkipGroupNorm", "X:T gamma:M beta:M skip:T bias:T?", "Y:T S:T?",
     "activation:int! channels_last:int=1 epsilon:float=1e-05 groups:int!",
     "T=float,float16 M=float,float16", writeSkipGroupNorm},
    {"Gelu", "X:T", "Y:T", "", kAllFloats, writeGelu},
    {"BiasGelu", "A:T B:T", "C:T", "", kAllFloats, writeBiasGelu},
    {"FastGelu", "X:T bias:T?", "Y:T", "", kAllFloats, writeFastGelu},
    {"QuickGelu", "X:T", "Y:T", "alpha:float=1.702", kAllFloats, writeQuickGelu},
    {"BiasSplitGelu", "X:T bias:T", "Y:T", "", "T=float,float16", writeBiasSplitGelu},
    {"BiasSoftmax", "data:T bias:T", "output:T", "axis:int=1 is_inner_broadcast:int!",
     "T=float,double,float16", writeBiasSoftmax},
    {"BiasAdd", "X:T bias:T skip:T", "Y:T", "", "T=float,float16", writeBiasAdd},
    {"BiasDropout", "data:T bias:T residual:T? ratio:R? training_mode:bool?", "output:T mask:bool?",
     "seed:int", "T=float,double,float16,bfloat16 R=float,double,float16,bfloat16",
     writeBiasDropout},

    //--- products -------------------------------------------------------------------------------
    {"FusedMatMul", "A:T B:T", "Y:T",
     "alpha:float=1.0 transA:int=0 transB:int=0 transBatchA:int=0 transBatchB:int=0", kAllFloats,
     writeFusedMatMul},
    {"TransposeMatMul", "A:T B:T", "Y:T", "alpha:float=1.0 transA:int=0 transB:int=0", kAllFloats,
     writeFusedMatMul},
    {"FusedMatMulActivation", "A:T B:T", "Y:T",
     "activation:string! activation_alpha:float activation_axis:int activation_beta:float "
     "activation_gamma:float alpha:float=1.0 transA:int=0 transB:int=0 transBatchA:int=0 "
     "transBatchB:int=0",
     kAllFloats, writeFusedMatMulActivation},
    {"FusedGemm", "A:T B:T C:T?", "Y:T",
     "activation:string activation_alpha:float activation_beta:float activation_gamma:float "
     "alpha:float=1.0 beta:float=1.0 transA:int=0 transB:int=0",
     "T=float16,float,double,uint32,uint64,int32,int64", writeFusedGemm},
    {"GemmFastGelu", "X:T W:T bias:T?", "Y:T", "", kFloats, writeGemmFastGelu},
    {"FusedConv", "X:T W:T B:T? Z:T?", "Y:T",
     "activation:string activation_params:floats auto_pad:string=NOTSET dilations:ints "
     "group:int=1 kernel_shape:ints pads:ints strides:ints",
     "T=float16,float,double", writeFusedConv},
    {"NhwcConv", "X:T W:T B:T?", "Y:T",
     "auto_pad:string=NOTSET dilations:ints group:int=1 kernel_shape:ints pads:ints strides:ints",
     "T=float16,float,double", writeNhwcConv},
    {"NhwcFusedConv", "X:T W:T B:T? Z:T?", "Y:T",
     "activation:string activation_params:floats auto_pad:string=NOTSET dilations:ints "
     "group:int=1 kernel_shape:ints pads:ints strides:ints",
     "T=float16,float", writeNhwcConv},
    {"MatMulNBits", "A:T B:uint8 scales:T zero_points:Z? g_idx:int32? bias:T?", "Y:T",
     "K:int! N:int! accuracy_level:int=0 bits:int=4 block_size:int! weight_prepacked:int=0",
     "T=float,float16,bfloat16 Z=uint8,float16,float,bfloat16", writeMatMulNBits},
    {"MatMulNBitsMlp",
     "A:T skip:T? norm_scale:T? gate_B:uint8 gate_scales:T gate_bias:T? up_B:uint8 up_scales:T "
     "up_bias:T?",
     "Y:T input_skip_bias_sum:T?",
     "K:int! N:int! accuracy_level:int=0 activation:string! bits:int=4 block_size:int! "
     "epsilon:float=1e-05",
     kFloats, writeMatMulNBitsMlp},
    {"MatMulNBitsQkv",
     "A:T skip:T? norm_scale:T q_B:uint8 q_scales:T q_bias:T? k_B:uint8 k_scales:T k_bias:T? "
     "v_B:uint8 v_scales:T v_bias:T?",
     "Q:T K:T V:T input_skip_bias_sum:T?",
     "K:int! Nkv:int! Nq:int! accuracy_level:int=0 bits:int=4 block_size:int! epsilon:float=1e-06",
     kFloats, writeMatMulNBitsQkv},
    {"MatMulBnb4", "A:T B:uint8 absmax:T", "Y:T",
     "K:int! N:int! block_size:int! quant_type:int! training_mode:int=0 transB:int=1", kFloats,
     writeMatMulBnb4},
    {"GatherBlockQuantized", "data:D indices:I scales:T zero_points:D?", "output:T",
     "bits:int=4 block_size:int=128 gather_axis:int=0 quantize_axis:int=1",
     "D=int4,uint4,uint8,float8e4m3fn,float8e4m3fnuz,float8e5m2,float8e5m2fnuz,float4e2m1 "
     "T=float,float16,bfloat16 I=int32,int64",
     writeGatherBlockQuantized},
    {"MoE",
     "input:T router_probs:T fc1_experts_weights:T fc1_experts_bias:T? fc2_experts_weights:T "
     "fc2_experts_bias:T? fc3_experts_weights:T? fc3_experts_bias:T?",
     "output:T",
     "activation_alpha:float=1.0 activation_beta:float=0.0 activation_type:string=relu k:int=1 "
     "normalize_routing_weights:int=0 swiglu_fusion:int=0 swiglu_limit:float "
     "swiglu_limit_after_activation:int=0 use_sparse_mixer:int=0",
     kFloats, writeMoe},
    {"QMoE",
     "input:T router_probs:T fc1_experts_weights:W fc1_scales:S? fc1_experts_bias:T? "
     "fc2_experts_weights:W fc2_scales:S? fc2_experts_bias:T? fc3_experts_weights:W? fc3_scales:S? "
     "fc3_experts_bias:T? fc1_zero_points:W? fc2_zero_points:W? fc3_zero_points:W? "
     "router_weights:T? fc1_global_scale:float? fc2_global_scale:float? fc1_act_scale:float? "
     "fc2_act_scale:float? fc1_act_block_scale:S? fc2_act_block_scale:S?",
     "output:T",
     "accuracy_level:int=0 activation_alpha:float=1.0 activation_beta:float=0.0 "
     "activation_type:string=relu block_size:int expert_weight_bits:int=4 "
     "fc1_expert_weight_bits:int fc2_expert_weight_bits:int fc3_expert_weight_bits:int k:int=1 "
     "normalize_routing_weights:int=0 quant_type:string=int swiglu_fusion:int=0 swiglu_limit:float "
     "swiglu_limit_after_activation:int=0 use_sparse_mixer:int=0 weights_prepacked:int=-1",
     "T=float,float16,bfloat16 W=uint8,float8e4m3fn "
     "S=float,float16,bfloat16,float8e8m0,float8e4m3fn",
     writeQMoe},

    //--- quantised ------------------------------------------------------------------------------
    {"QLinearAdd",
     "A:T A_scale:float A_zero_point:T? B:T B_scale:float B_zero_point:T? C_scale:float "
     "C_zero_point:T?",
     "C:T", "", kBytes, writeQLinearAdd},
    {"QLinearMul",
     "A:T A_scale:float A_zero_point:T? B:T B_scale:float B_zero_point:T? C_scale:float "
     "C_zero_point:T?",
     "C:T", "", kBytes, writeQLinearMul},
    {"QLinearSigmoid", kUnaryOperands, "Y:T", "", kBytes, writeQLinearSigmoid},
    {"QLinearLeakyRelu", kUnaryOperands, "Y:T", "alpha:float=0.01", kBytes, writeQLinearLeakyRelu},
    {"QLinearSoftmax", kUnaryOperands, "Y:T", "axis:int=-1 opset:int!", kBytes,
     writeQLinearSoftmax},
    {"QLinearReduceMean", kUnaryOperands, "Y:T", "axes:ints! keepdims:int!", kBytes,
     writeQLinearReduceMean},
    {"QLinearAveragePool", kUnaryOperands, "Y:T",
     "auto_pad:string=NOTSET ceil_mode:int=0 channels_last:int=0 count_include_pad:int=0 "
     "kernel_shape:ints! pads:ints strides:ints",
     kBytes, writeQLinearAveragePool},
    {"QLinearGlobalAveragePool", kUnaryOperands, "Y:T", "channels_last:int=0", kBytes,
     writeQLinearGlobalAveragePool},
    {"QLinearConcat", "Y_scale:float Y_zero_point:T inputs:V*", "Y:T", "axis:int!",
     "T=uint8,int8 V=uint8,int8,float", writeQLinearConcat},
    {"QLinearWhere",
     "condition:bool X:T x_scale:float x_zero_point:T Y:T y_scale:float y_zero_point:T "
     "z_scale:float z_zero_point:T",
     "Z:T", "", kBytes, writeQLinearWhere},
    {"QLinearConv",
     "x:T1 x_scale:float x_zero_point:T1 w:T2 w_scale:float w_zero_point:T2 y_scale:float "
     "y_zero_point:T3 B:int32?",
     "y:T3",
     "auto_pad:string=NOTSET channels_last:int=0 dilations:ints group:int=1 kernel_shape:ints "
     "pads:ints strides:ints",
     "T1=int8,uint8 T2=int8,uint8 T3=int8,uint8", writeQLinearConv},
    {"QuantizeLinear", "x:T1 y_scale:T1 y_zero_point:T2?", "y:T2", "axis:int",
     "T1=float16,float T2=int8,uint8,int16,uint16,int4,uint4", writeQuantizeLinear},
    {"DequantizeLinear", "x:T1 x_scale:T2 x_zero_point:T1?", "y:T2", "axis:int",
     "T1=int8,uint8,int16,uint16,int32,int4,uint4 T2=float16,float", writeDequantizeLinear},
    {"MatMulIntegerToFloat",
     "A:T1 B:T2 a_scale:T3 b_scale:T3 a_zero_point:T1? b_zero_point:T2? bias:T3?", "Y:T3", "",
     "T1=int8,uint8 T2=int8,uint8 T3=float,float16", writeMatMulIntegerToFloat},
    {"DynamicQuantizeMatMul", "A:float B:T2 b_scale:float b_zero_point:T2? bias:float?", "Y:float",
     "", "T2=int8,uint8", writeDynamicQuantizeMatMul},
    {"DynamicQuantizeLSTM",
     "X:float W:T2 R:T2 B:float? sequence_lens:int32? initial_h:float? initial_c:float? P:float? "
     "W_scale:float W_zero_point:T2 R_scale:float R_zero_point:T2",
     "Y:float? Y_h:float? Y_c:float?",
     "activation_alpha:floats activation_beta:floats activations:strings clip:float "
     "direction:string=forward hidden_size:int input_forget:int=0",
     "T2=uint8,int8", writeDynamicQuantizeLstm},
    {"QGemm",
     "A:TA a_scale:float a_zero_point:TA B:TB b_scale:float b_zero_point:TB C:int32? "
     "y_scale:float? y_zero_point:TZ?",
     "Y:TY", "alpha:float=1.0 transA:int=0 transB:int=0",
     "TA=uint8,int8 TB=uint8,int8 TZ=uint8,int8 TY=float,uint8,int8", writeQGemm},
    {"MulInteger", "A:T A_zero_point:T? B:T B_zero_point:T?", "C:int32", "", kBytes,
     writeMulInteger},
    {"MatMulInteger16", "A:T1 B:T2", "Y:T3", "", "T1=int16,uint16 T2=int16,uint16 T3=int32,uint32",
     writeMatMulInteger16},
    {"ReduceSumInteger", "data:T1", "reduced:T2", "axes:ints! keepdims:int!",
     "T1=int8,uint8 T2=int32,uint32", writeReduceSumInteger},

    //--- elements and their movement ------------------------------------------------------------
    {"ExpandDims", "X:T axis:int32", "Y:T", "", kAnyType, writeExpandDims},
    {"Range", "start:T limit:T delta:T?", "Y:T", "", "T=float,double,int16,int32,int64",
     writeRange},
    {"Pad", "data:T pads:int64 value:T?", "output:T", "mode:string=constant",
     "T=float16,float,double", writePad},
    {"GridSample", "X:T1 Grid:T1", "Y:T2",
     "align_corners:int=0 mode:string=bilinear padding_mode:string=zeros",
     "T1=float16,float,double T2=float16,float,double", writeGridSample},
    {"Inverse", "X:T", "Y:T", "", "T=float16,float,double", writeInverse},
    {"Trilu", "X:T k:int64?", "Y:T", "upper:int=1", kNumbersAndBool, writeTrilu},
    {"Unique", "x:T", "y:T idx:int64 counts:int64", "", kAnyType, writeUnique},
    {"GatherND", "data:T indices:I", "output:T", "",
     "T=uint8,uint16,uint32,uint64,int8,int16,int32,int64,float16,float,double,string,bool "
     "I=int32,int64",
     writeGatherNd},
    {"TorchEmbedding", "weight:T indices:int64 padding_idx:int64? scale_grad_by_freq:bool?", "Y:T",
     "", kNumbers, writeTorchEmbedding},
    {"UnfoldTensor", "input:T", "output:T", "dim:int=-1 size:int! step:int=1", kAnyType,
     writeUnfoldTensor},
    {"NGramRepeatBlock", "input_ids:int64 scores:float", "scores_out:float", "ngram_size:int!", "",
     writeNGramRepeatBlock},
    {"NhwcMaxPool", "x:T", "y:T",
     "auto_pad:string=NOTSET ceil_mode:int=0 dilations:ints kernel_shape:ints! pads:ints "
     "strides:ints",
     kBytes, writeNhwcMaxPool},
    {"CropAndResize", "X:T rois:T batch_indices:int32 crop_size:int32", "Y:T",
     "extrapolation_value:float=0.0 mode:string=bilinear", "T=float16,float,double",
     writeCropAndResize},
    {"CDist", "A:T B:T", "C:T", "metric:string=sqeuclidean", "T=float,double", writeCDist},
    {"ComplexMul", "A:T B:T", "C:T", "", "T=float,double,float16", writeComplexMul},
    {"ComplexMulConj", "A:T B:T", "C:T", "", "T=float,double,float16", writeComplexMulConj},
    {"Rfft", "X:T", "Y:T", "normalized:int=0 onesided:int=1 signal_ndim:int=1",
     "T=float,double,float16", writeRfft},
    {"SwiGLU", "gate:T up:T?", "output:T",
     "activation_alpha:float=1.0 activation_beta:float=0.0 limit:float=0.0 round_activation:int=0",
     kFloats, writeSwiGlu},
    {"ScaledSiLU", "X:T scale:M?", "Y:T", "alpha:float=1.0",
     "T=float,float16,bfloat16 M=float,float16,bfloat16", writeScaledSiLu},
    {"GatedRMSNorm", "X:T scale:T gate:T", "Y:T", "activation:string=silu epsilon:float=1e-05",
     kFloats, writeGatedRmsNorm},

    //--- of early versions of ONNX, in the default domain ---------------------------------------
    {"Affine", "X:T", "Y:T", "alpha:float=1.0 beta:float=0.0", kEarly, writeAffine},
    {"Scale", "input:T", "output:T", "scale:float=1.0", kEarly, writeScale},
    {"ScaledTanh", "input:T", "output:T", "alpha:float beta:float", kEarly, writeScaledTanh},
    {"ParametricSoftplus", "X:T", "Y:T", "alpha:float beta:float", kEarly, writeParametricSoftplus},
    {"ImageScaler", "input:T", "output:T", "bias:floats scale:float=1.0", kEarly, writeImageScaler},
    {"Crop", "input:T", "output:T", "border:ints scale:ints", kEarly, writeCrop},
    {"ThresholdedRelu", "X:T", "Y:T", "alpha:float=1.0", kEarly, writeThresholdedRelu},
};

ArrayRef<ContribOperator> getContribOperators() { return kOperators; }

StringRef explainMissingContribOperator(StringRef name) {
  constexpr const char *kSearch =
      "it runs a model that it holds many times, to generate text; call the inner model in a loop";
  constexpr const char *kDevice = "ONNX Runtime makes it for kernels of one kind of device and "
                                  "their layouts; export the model for the CPU";
  constexpr const char *kNarrow =
      "its weights are laid out for one kernel of ONNX Runtime; export the model with MatMulNBits";
  constexpr const char *kTraining = "it is for training; export the model for inference";
  constexpr const char *kForeign = "it holds what another engine has compiled";
  constexpr const char *kText = "it is about text; tokenize before the model";
  constexpr const char *kSparse = "attention to some keys only is not supported; export the model "
                                  "with GroupQueryAttention";
  return llvm::StringSwitch<StringRef>(name)
      .Cases({"BeamSearch", "GreedySearch", "Sampling", "WhisperBeamSearch"}, kSearch)
      .Cases({"BifurcationDetector", "SpeculativePrefixCommit"}, kSearch)
      .Cases({"DecoderAttention", "DecoderMaskedMultiHeadAttention", "DecoderMaskedSelfAttention",
              "GatedRelativePositionBias", "LongformerAttention", "PackedAttention",
              "PackedMultiHeadAttention", "PagedAttention", "RelativePositionBias", "RemovePadding",
              "RestorePadding"},
             kDevice)
      .Cases({"DequantizeWithOrder", "QOrderedAttention", "QOrderedGelu",
              "QOrderedLayerNormalization", "QOrderedLongformerAttention", "QOrderedMatMul",
              "QuantizeWithOrder"},
             kDevice)
      .Cases({"BranchwiseRMSNorm", "ConvStateReplay", "EngramGate", "GatedAdd", "GatedDeltaNet",
              "GatedDeltaNetStateReplay", "GatherPacked", "GemmFloat8", "GemmaRotaryEmbedding",
              "HyperConnectionLowRankMix", "HyperConnectionPostMix", "HyperConnectionPreMix",
              "LinearAttentionGate", "Mamba2Verify", "MoEGroupRouter", "MoEPacked"},
             kDevice)
      .Cases({"RMSNormRotary", "RouterGateUpProj", "VarlenCausalConvWithState"}, kDevice)
      .Cases({"DequantizeBFP", "MatMulBlockQuantizedFp4Weight", "MatMulBlockQuantizedFp8Weight",
              "MatMulFpQ4", "MatMulNBitsQLoRA", "MatMulPacked", "QuantizeBFP"},
             kNarrow)
      .Cases({"BitmaskBiasDropout", "BitmaskDropout", "IsAllFinite"}, kTraining)
      .Cases({"EPContext", "Snpe"}, kForeign)
      .Cases({"MurmurHash3", "NGramHashMapping", "Tokenizer", "VarlenNGramHashMapping"}, kText)
      .Cases({"DynamicSparseAttention", "PackedSparseAttentionIndexer",
              "PackedSparseAttentionIndexerMerge", "SparseAttention", "SparseAttentionIndexer",
              "SparsePagedAttention"},
             kSparse)
      .Case("AttnLSTM", "export the model with LSTM and the attention beside it")
      .Case("ConvTransposeWithDynamicPads", "pads must be constant; use ConvTranspose")
      .Case("DynamicTimeWarping", "its number of results depends on what it computes; do that "
                                  "after the model")
      .Case("Irfft", "inverse transforms to real numbers are not supported; use DFT")
      .Case("MaxpoolWithMask", "multiply by the mask and use MaxPool")
      .Case("SampleOp", "it is an example of an operator")
      .Case("SparseToDenseMatMul", "sparse tensors are not supported; make the operand dense")
      .Case("WordConvEmbedding", "export the model with Gather and Conv")
      .Default("");
}

} // namespace tenon::import
