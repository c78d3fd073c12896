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

    //--- normalisation and activations ----------------------------------------------------------
    {"LayerNormalization", "X:T Scale:T B:T?", "Y:T Mean:U? InvStdDev:U?",
     "axis:int=-1 epsilon:float=1e-05 stash_type:int=1",
     "T=float,double,float16,bfloat16 U=float,double,bfloat16", writeLayerNormalization},
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
    {"MatMulBnb4", "A:T B:uint8 absmax:T", "Y:T",
     "K:int! N:int! block_size:int! quant_type:int! training_mode:int=0 transB:int=1", kFloats,
     writeMatMulBnb4},
    {"GatherBlockQuantized", "data:D indices:I scales:T zero_points:D?", "output:T",
     "bits:int=4 block_size:int=128 gather_axis:int=0 quantize_axis:int=1",
     "D=int4,uint4,uint8,float8e4m3fn,float8e4m3fnuz,float8e5m2,float8e5m2fnuz,float4e2m1 "
     "T=float,float16,bfloat16 I=int32,int64",
     writeGatherBlockQuantized},
};

ArrayRef<ContribOperator> getContribOperators() { return kOperators; }

StringRef explainMissingContribOperator(StringRef name) {
  constexpr const char *kSearch =
      "it runs a model that it holds many times, to generate text; call the inner model in a loop";
  constexpr const char *kPacked =
      "its operands are packed for kernels of other devices; export the model for the CPU";
  constexpr const char *kTraining = "it is for training";
  constexpr const char *kForeign = "it holds what another engine has compiled";
  return llvm::StringSwitch<StringRef>(name)
      .Cases({"BeamSearch", "GreedySearch", "Sampling", "WhisperBeamSearch"}, kSearch)
      .Cases({"PackedAttention", "PackedMultiHeadAttention", "RemovePadding", "RestorePadding",
              "PagedAttention", "SparsePagedAttention", "DecoderMaskedMultiHeadAttention",
              "DecoderMaskedSelfAttention", "DecoderAttention"},
             kPacked)
      .Cases({"BitmaskDropout", "BitmaskBiasDropout", "IsAllFinite"}, kTraining)
      .Cases({"EPContext", "Snpe"}, kForeign)
      .Default("");
}

} // namespace tenon::import
