"""What each field means: the comments of proto/netdef.proto, by message. Made by `make proto`."""

from __future__ import annotations

MEANINGS: dict[str, dict[str, str]] = {
    "BlobShape": {
        "dim": "Size of each axis, for images: batch, channels, height, width.",
    },
    "BlobProto": {
        "shape": "Sizes of the axes; where absent, the four old fields below say it.",
        "data": "The values, last axis fastest.",
        "diff": "Their gradient, in the same order; seldom saved.",
        "double_data": "The values in double precision, for nets trained that way.",
        "double_diff": "Their gradient in double precision.",
        "num": "Old shape: batch size; 0 where not given.",
        "channels": "Old shape: channels; 0 where not given.",
        "height": "Old shape: rows; 0 where not given.",
        "width": "Old shape: columns; 0 where not given.",
    },
    "BlobProtoVector": {
        "blobs": "The arrays, in the order they were put in.",
    },
    "Datum": {
        "channels": (
            "Channels of `data` or `float_data`: 3 for colour, in the order blue, green, red."
        ),
        "height": "Rows.",
        "width": "Columns.",
        "data": (
            "Pixels as bytes, channel by channel, or a whole image file where `encoded` is true."
        ),
        "label": "The class as a number from 0.",
        "float_data": "Values that do not fit bytes; read only where `data` is empty.",
        "encoded": "Whether `data` is an image file (JPEG, PNG, ...) that has to be decoded.",
    },
    "FillerParameter": {
        "type": (
            "Name of the rule: constant, uniform, gaussian, positive_unitball, xavier, msra or "
            "bilinear."
        ),
        "value": "Value of every element; for `constant`.",
        "min": "Lower end of the range; for `uniform`.",
        "max": "Upper end of the range; for `uniform`.",
        "mean": "Mean of the draw; for `gaussian`.",
        "std": "Standard deviation of the draw; for `gaussian`.",
        "sparse": (
            "How many inputs of each output stay non-zero on average, -1 for all; for `gaussian`."
        ),
        "variance_norm": "Which count the spread is divided by; for `xavier` and `msra`.",
    },
    "NetParameter": {
        "name": "A name for people; used in logs and drawings.",
        "input": "Old way to declare inputs: their blob names. An Input layer says the same today.",
        "input_shape": "Shape of each `input`, one for each.",
        "input_dim": (
            "Oldest way to shape inputs: four sizes for each `input`, one after the other."
        ),
        "force_backward": "Compute gradients for inputs too, even where nothing there learns.",
        "state": (
            "Phase, level and stages that the layers' include and exclude rules are held against."
        ),
        "debug_info": "Print the mean size of every blob, gradient and parameter while running.",
        "layer": "The layers; each reads blobs that an earlier one made.",
        "layers": "Layers in the V1 syntax, upgraded to `layer` when a file is read.",
    },
    "SolverParameter": {
        "net": (
            "File of the net for training and testing; exactly one source of a train net may be "
            "given."
        ),
        "net_param": "The same net, written inside this file.",
        "train_net": "File of a net for training only.",
        "test_net": "Files of nets for testing only.",
        "train_net_param": "Train net written inside this file.",
        "test_net_param": "Test nets written inside this file.",
        "train_state": "State that the train net is filtered by, over its own `state`.",
        "test_state": "States that the test nets are filtered by, one for each test net.",
        "test_iter": "Batches of one test, one number for each test net.",
        "test_interval": "Iterations between two tests; 0 for no tests.",
        "test_compute_loss": "Show the loss of the test net as well as its outputs.",
        "test_initialization": (
            "Run a test before the first iteration, which also finds missing memory or data early."
        ),
        "base_lr": (
            "Learning rate that `lr_policy` starts from; each parameter multiplies it by its "
            "lr_mult."
        ),
        "display": "Iterations between two lines of the log; 0 for none.",
        "average_loss": "Iterations that the shown loss is averaged over.",
        "max_iter": "Iterations to train for.",
        "iter_size": (
            "Batches whose gradients are added up for one update; the batch grows by this factor."
        ),
        "lr_policy": (
            "How the rate falls: fixed, step, exp, inv, multistep, poly or sigmoid; of netdef's "
            "own: cosine, onecycle or plateau."
        ),
        "gamma": "Factor of the policies step, exp, inv, multistep, sigmoid and plateau.",
        "power": "Exponent of the policies inv and poly.",
        "momentum": (
            "Share of the last update that is kept; beta1 for Adam and its kin, the averaging "
            "rate for AdaDelta."
        ),
        "weight_decay": (
            "Strength of the regularisation; each parameter multiplies it by its decay_mult."
        ),
        "regularization_type": "L2 pulls weights by their value, L1 by their sign.",
        "stepsize": (
            "Iterations between two steps for `step`; the middle of the curve for `sigmoid`."
        ),
        "stepvalue": "Iterations at which `multistep` makes its steps, rising.",
        "clip_gradients": (
            "Largest L2 norm of all gradients together; beyond it they are scaled down. Negative "
            "for no limit."
        ),
        "snapshot": "Iterations between two snapshots; 0 for none on the way.",
        "snapshot_prefix": "Beginning of the snapshots' file names, folders included.",
        "snapshot_diff": "Save gradients in the model file as well.",
        "snapshot_format": "Kind of file that snapshots are written in.",
        "solver_mode": "Where Caffe computes; netdef computes on the CPU whatever this says.",
        "device_id": "Which GPU Caffe takes; netdef has none to choose.",
        "random_seed": "Seed of everything random, 0 or more; -1 for a new one each run.",
        "type": (
            "Update rule: SGD, Nesterov, AdaGrad, RMSProp, AdaDelta or Adam; of netdef's own: "
            "AdamW, AMSGrad, Lion, LARS or RMSPropMomentum."
        ),
        "delta": (
            "Small number that keeps divisions finite; for AdaGrad, RMSProp, AdaDelta, Adam and "
            "their kin."
        ),
        "momentum2": (
            "Share of the squared gradients' average that is kept; beta2 of Adam and its kin."
        ),
        "rms_decay": "Share of the squared gradients' average that is kept; for RMSProp.",
        "debug_info": "Print the mean size of every blob, gradient and parameter while training.",
        "snapshot_after_train": "Save a snapshot when training ends.",
        "solver_type": "Old spelling of `type`, upgraded when a file is read.",
        "layer_wise_reduce": (
            "Whether several GPUs exchange gradients layer by layer; one CPU has nothing to "
            "exchange."
        ),
        "weights": (
            "Model files to start from, later ones over earlier ones; a comma also separates names."
        ),
        "clip_value": (
            "Limit of each single value of a gradient, which is cut to [-clip_value, "
            "clip_value]; none where absent. Comes after `clip_gradients` and the division by "
            "iter_size, before weight decay."
        ),
        "epsilon_mode": (
            "Where `delta` stands in the formula; TENSORFLOW for RMSPropMomentum where absent."
        ),
        "trust_coefficient": (
            "Share of a parameter's own size that one step of LARS at rate 1 may make."
        ),
        "min_lr": "The rate never falls below this; for cosine, onecycle and plateau.",
        "pct_start": "Share of max_iter in which `onecycle` rises to base_lr.",
        "div_factor": "`onecycle` starts at base_lr divided by this.",
        "final_div_factor": (
            "`onecycle` ends at its start divided by this, or at min_lr where that is more."
        ),
        "warmup_iter": (
            "Iterations in which the rate rises in a line to what lr_policy says; 0 for none."
        ),
        "warmup_start_lr": (
            "Rate of the first iteration of the warm-up; where absent, base_lr / (warmup_iter + 1)."
        ),
        "monitor": (
            "Output of the first test net that tells how good the net is, for plateau, "
            "early_stopping and keep_best; its loss where absent, or the training loss where "
            "nothing is tested."
        ),
        "monitor_mode": (
            "Which way `monitor` gets better; where absent, MAX for tops of Accuracy, else MIN."
        ),
        "monitor_interval": (
            "Iterations whose mean training loss is one value to look at, where nothing is tested."
        ),
        "min_delta": "A value must be better than the best by more than this to count as better.",
        "patience": (
            "Values no better than the best, one after the other, until `plateau` lowers the rate."
        ),
        "early_stopping": (
            "Values no better than the best, one after the other, until training stops; 0 for "
            "never."
        ),
        "keep_best": (
            "Keep a snapshot of the iteration with the best value, as "
            "<snapshot_prefix>_best_iter_N."
        ),
        "keep_last": (
            "Remove all but the newest snapshots, this many; 0 keeps all. The best one stays "
            "besides."
        ),
        "max_time": (
            "Seconds after which training stops with a snapshot; counted anew when it is resumed."
        ),
    },
    "SolverState": {
        "iter": "Iterations done.",
        "learned_net": "Model file that was saved together with this state.",
        "history": (
            "Slots of the update rule: one for each learned parameter, then a second round for "
            "AdaDelta and Adam."
        ),
        "current_step": "Steps that the learning rate policy has made; for `multistep`.",
        "extra_name": (
            "Names of the numbers that an exact resume needs beyond Caffe's state: the seed, "
            "places in the data."
        ),
        "extra_value": "Those numbers, in the order of their names.",
        "solver": (
            "Settings of the solver that wrote the state, without nets; they say what `history` "
            "holds."
        ),
    },
    "NetState": {
        "phase": "Training or testing.",
        "level": "A number that rules can ask a range of.",
        "stage": "Words that rules can ask for.",
    },
    "NetStateRule": {
        "phase": "The phase the net must be in.",
        "min_level": "The lowest level that fits.",
        "max_level": "The highest level that fits.",
        "stage": "Words the state must have, every one of them.",
        "not_stage": "Words the state must not have, not one of them.",
    },
    "ParamSpec": {
        "name": "Parameters of the same name are one array, wherever in the net they stand.",
        "share_mode": "What sharers of a name must agree on.",
        "lr_mult": "Factor on the learning rate; 0 keeps the parameter as it is.",
        "decay_mult": "Factor on the weight decay; often 0 for biases.",
    },
    "LayerParameter": {
        "name": "Name of the layer; weights are matched by it.",
        "type": "What it computes, spelled as in Caffe: Convolution, InnerProduct, ReLU, ...",
        "bottom": "Blobs it reads.",
        "top": "Blobs it makes; the name of a bottom to compute in place.",
        "phase": "Filled in by the net when it is built; rules belong into `include`.",
        "loss_weight": (
            "Factor of each top in the loss; 1 for the first top of a loss layer, else 0."
        ),
        "param": "Training settings of each learned parameter, in the layer's order.",
        "blobs": "Values of the learned parameters, in model files.",
        "propagate_down": (
            "For each bottom, whether its gradient is computed; found out by the net where absent."
        ),
        "include": "The layer is there only where one of these rules holds.",
        "exclude": "The layer is away where one of these rules holds; not together with `include`.",
        "transform_param": "How data layers scale, crop and mirror.",
        "loss_param": "What loss layers ignore and divide by.",
        "accuracy_param": "Settings of Accuracy.",
        "argmax_param": "Settings of ArgMax.",
        "batch_norm_param": "Settings of BatchNorm.",
        "bias_param": "Settings of Bias.",
        "clip_param": "Settings of Clip.",
        "concat_param": "Settings of Concat.",
        "contrastive_loss_param": "Settings of ContrastiveLoss.",
        "convolution_param": "Settings of Convolution, Deconvolution and Im2col.",
        "crop_param": "Settings of Crop.",
        "data_param": "Settings of Data.",
        "dropout_param": "Settings of Dropout.",
        "dummy_data_param": "Settings of DummyData.",
        "eltwise_param": "Settings of Eltwise.",
        "elu_param": "Settings of ELU.",
        "embed_param": "Settings of Embed.",
        "exp_param": "Settings of Exp.",
        "flatten_param": "Settings of Flatten.",
        "hdf5_data_param": "Settings of HDF5Data.",
        "hdf5_output_param": "Settings of HDF5Output.",
        "hinge_loss_param": "Settings of HingeLoss.",
        "image_data_param": "Settings of ImageData.",
        "infogain_loss_param": "Settings of InfogainLoss.",
        "inner_product_param": "Settings of InnerProduct.",
        "input_param": "Settings of Input.",
        "log_param": "Settings of Log.",
        "lrn_param": "Settings of LRN.",
        "memory_data_param": "Settings of MemoryData.",
        "mvn_param": "Settings of MVN.",
        "parameter_param": "Settings of Parameter.",
        "pooling_param": "Settings of Pooling.",
        "power_param": "Settings of Power.",
        "prelu_param": "Settings of PReLU.",
        "python_param": "Settings of Python.",
        "recurrent_param": "Settings of RNN and LSTM.",
        "reduction_param": "Settings of Reduction.",
        "relu_param": "Settings of ReLU.",
        "reshape_param": "Settings of Reshape.",
        "scale_param": "Settings of Scale.",
        "sigmoid_param": "Settings of Sigmoid.",
        "softmax_param": "Settings of Softmax and SoftmaxWithLoss.",
        "spp_param": "Settings of SPP.",
        "slice_param": "Settings of Slice.",
        "swish_param": "Settings of Swish.",
        "tanh_param": "Settings of TanH.",
        "threshold_param": "Settings of Threshold.",
        "tile_param": "Settings of Tile.",
        "window_data_param": "Settings of WindowData.",
    },
    "TransformationParameter": {
        "scale": (
            "Factor on every value, after the mean was taken off; 0.00390625 brings bytes into 0 "
            "to 1."
        ),
        "mirror": "Flip left and right at random, in both phases.",
        "crop_size": (
            "Side of the square cut out, in pixels: anywhere in TRAIN, the middle in TEST; 0 for "
            "the whole."
        ),
        "mean_file": "Mean image to take off, a BlobProto file; not together with `mean_value`.",
        "mean_value": "Mean to take off: one for all channels or one for each.",
        "force_color": "Decode encoded images as three channels.",
        "force_gray": "Decode encoded images as one channel.",
    },
    "LossParameter": {
        "ignore_label": (
            "Positions with this label count neither in the loss nor in its divisor; none where "
            "absent."
        ),
        "normalization": "What the sum is divided by.",
        "normalize": (
            "Old spelling: true for VALID, false for BATCH_SIZE; read only where `normalization` "
            "is absent."
        ),
    },
    "AccuracyParameter": {
        "top_k": "A hit is a label among this many best scores.",
        "axis": "Axis of the classes; negative counts from the end.",
        "ignore_label": "Positions with this label do not count; none where absent.",
    },
    "ArgMaxParameter": {
        "out_max_val": (
            "Give the values as well as (without `axis`) or instead of (with it) the places."
        ),
        "top_k": "How many of the largest to give.",
        "axis": "Axis to search along; where absent, all values of an example.",
    },
    "ClipParameter": {
        "min": "Values below become this.",
        "max": "Values above become this.",
    },
    "ConcatParameter": {
        "axis": "Axis to join along; negative counts from the end.",
        "concat_dim": "Old spelling of `axis`, never negative.",
    },
    "BatchNormParameter": {
        "use_global_stats": (
            "Use the stored statistics rather than the batch's; where absent, in phase TEST only."
        ),
        "moving_average_fraction": "Share of the stored statistics that each batch keeps.",
        "eps": "Added to the variance before its root is taken.",
    },
    "BiasParameter": {
        "axis": (
            "First axis of the first bottom that the bias lies along; negative counts from the end."
        ),
        "num_axes": "How many axes it lies along, -1 for all to the end; for a learned bias only.",
        "filler": "First values of the learned bias; zero where absent.",
    },
    "ContrastiveLossParameter": {
        "margin": "Distance beyond which different pairs cost nothing.",
        "legacy_version": "Use margin - d^2, as Caffe once did, in place of (margin - d)^2.",
    },
    "ConvolutionParameter": {
        "num_output": "Filters, which is the number of output channels.",
        "bias_term": "Add a learned bias to each filter.",
        "pad": "Zeros put at both ends of each spatial axis; 0 where absent.",
        "kernel_size": "Size of the filters along each spatial axis.",
        "stride": "Steps between two places of the filter; 1 where absent.",
        "dilation": "Distance between neighbouring taps of the filter; 1 where absent.",
        "pad_h": "Padding of rows, in place of `pad`.",
        "pad_w": "Padding of columns, in place of `pad`.",
        "kernel_h": "Filter rows, in place of `kernel_size`.",
        "kernel_w": "Filter columns, in place of `kernel_size`.",
        "stride_h": "Stride over rows, in place of `stride`.",
        "stride_w": "Stride over columns, in place of `stride`.",
        "group": "Parts the channels are divided into; a filter sees one part only.",
        "weight_filler": "First values of the filters; zero where absent.",
        "bias_filler": "First values of the biases; zero where absent.",
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
        "axis": (
            "The channel axis; those before it are batch, those after it spatial. Negative "
            "counts from the end."
        ),
        "force_nd_im2col": (
            "Make Caffe use its general code for two spatial axes; changes no result."
        ),
    },
    "CropParameter": {
        "axis": "First axis that is cut; negative counts from the end.",
        "offset": (
            "Where the cut begins: one number for all cut axes or one for each; 0 where absent."
        ),
    },
    "DataParameter": {
        "source": "Folder of the database.",
        "batch_size": "Examples of one batch.",
        "rand_skip": "Skip a random number of examples at the start, less than this.",
        "backend": "Kind of the database.",
        "scale": "Old place of transform_param.scale.",
        "mean_file": "Old place of transform_param.mean_file.",
        "crop_size": "Old place of transform_param.crop_size.",
        "mirror": "Old place of transform_param.mirror.",
        "force_encoded_color": "Decode encoded images as three channels.",
        "prefetch": "Batches read ahead.",
    },
    "DropoutParameter": {
        "dropout_ratio": "Chance of a value to be dropped, from 0 to below 1.",
    },
    "DummyDataParameter": {
        "data_filler": "How tops are filled: one for all or one for each; zeros where absent.",
        "shape": "Shapes of tops: one for all or one for each.",
        "num": "Old shape: batch sizes, one for all or one for each top.",
        "channels": "Old shape: channels.",
        "height": "Old shape: rows.",
        "width": "Old shape: columns.",
    },
    "EltwiseParameter": {
        "operation": "How they are combined.",
        "coeff": "Factor of each bottom, 1 where absent; for SUM only.",
        "stable_prod_grad": (
            "Gradient of PROD without a division: slower, but safe where a value is 0."
        ),
    },
    "ELUParameter": {
        "alpha": "Where negative values end up: at -alpha.",
    },
    "EmbedParameter": {
        "num_output": "Length of a vector.",
        "input_dim": "Number of vectors; indices go from 0 to one less.",
        "bias_term": "Add a learned bias to every vector.",
        "weight_filler": "First values of the table; zero where absent.",
        "bias_filler": "First values of the bias; zero where absent.",
    },
    "ExpParameter": {
        "base": "The base, above 0; -1 stands for e.",
        "scale": "Factor on x.",
        "shift": "Added to scale * x.",
    },
    "FlattenParameter": {
        "axis": "First axis of those; negative counts from the end.",
        "end_axis": "Last axis of those, itself included; negative counts from the end.",
    },
    "HDF5DataParameter": {
        "source": "Text file that lists the HDF5 files, one a line.",
        "batch_size": "Rows of one batch.",
        "shuffle": "Take files, and rows within a file, in random order.",
    },
    "HDF5OutputParameter": {
        "file_name": "The HDF5 file; its datasets are called `data` and `label`.",
    },
    "HingeLossParameter": {
        "norm": "Whether the violations or their squares are added up.",
    },
    "ImageDataParameter": {
        "source": "Text file with a path and a label on each line.",
        "batch_size": "Images of one batch.",
        "rand_skip": "Skip a random number of images at the start, less than this.",
        "shuffle": "Take the images in random order.",
        "new_height": "Resize to this many rows; 0 (with new_width 0) for the file's own.",
        "new_width": "Resize to this many columns; 0 (with new_height 0) for the file's own.",
        "is_color": "Read three channels (blue, green, red); false for one.",
        "scale": "Old place of transform_param.scale.",
        "mean_file": "Old place of transform_param.mean_file.",
        "crop_size": "Old place of transform_param.crop_size.",
        "mirror": "Old place of transform_param.mirror.",
        "root_folder": "Put in front of every path of the list.",
    },
    "InfogainLossParameter": {
        "source": "The matrix as a BlobProto file; the third bottom may bring it instead.",
        "axis": "Axis of the classes; negative counts from the end.",
    },
    "InnerProductParameter": {
        "num_output": "Outputs of each example.",
        "bias_term": "Add a learned bias to each output.",
        "weight_filler": "First values of the weights; zero where absent.",
        "bias_filler": "First values of the biases; zero where absent.",
        "axis": (
            "First axis of an example; it and all later ones are one long vector. Negative "
            "counts from the end."
        ),
        "transpose": "Store the weights as inputs x outputs, rather than outputs x inputs.",
    },
    "InputParameter": {
        "shape": "Shapes of tops: one for all or one for each.",
    },
    "LogParameter": {
        "base": "The base, above 0; -1 stands for e.",
        "scale": "Factor on x.",
        "shift": "Added to scale * x.",
    },
    "LRNParameter": {
        "local_size": "Side of the neighbourhood, odd: channels or pixels.",
        "alpha": "Factor on the sum of squares, which is first divided by its count.",
        "beta": "Exponent of the divisor.",
        "norm_region": "Where neighbours lie.",
        "k": "Added before the exponent; ACROSS_CHANNELS only.",
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
    },
    "MemoryDataParameter": {
        "batch_size": "Examples of one batch.",
        "channels": "Channels of an example.",
        "height": "Rows of an example.",
        "width": "Columns of an example.",
    },
    "MVNParameter": {
        "normalize_variance": "Divide by the standard deviation; false takes off the mean only.",
        "across_channels": "One mean for all channels of an example, rather than one for each.",
        "eps": "Added to the standard deviation.",
    },
    "ParameterParameter": {
        "shape": "Its shape.",
    },
    "PoolingParameter": {
        "pool": "What is taken of a window.",
        "pad": "Zeros at all four sides.",
        "pad_h": "Padding of rows, in place of `pad`.",
        "pad_w": "Padding of columns, in place of `pad`.",
        "kernel_size": "Side of the window.",
        "kernel_h": "Window rows, in place of `kernel_size`.",
        "kernel_w": "Window columns, in place of `kernel_size`.",
        "stride": "Steps between two windows.",
        "stride_h": "Stride over rows, in place of `stride`.",
        "stride_w": "Stride over columns, in place of `stride`.",
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
        "global_pooling": "One window over the whole map; kernel_size must be absent.",
        "round_mode": "How an output size that is no whole number is rounded.",
    },
    "PowerParameter": {
        "power": "The exponent.",
        "scale": "Factor on x.",
        "shift": "Added to scale * x.",
    },
    "PythonParameter": {
        "module": "Module to import.",
        "layer": "Class of that module.",
        "param_str": "Text handed to the layer as it is.",
        "share_in_parallel": "Whether solvers of several GPUs share one layer object.",
    },
    "RecurrentParameter": {
        "num_output": "Size of the hidden state; must be above 0.",
        "weight_filler": "First values of the weights; zero where absent.",
        "bias_filler": "First values of the biases; zero where absent.",
        "debug_info": "Print the mean sizes inside the unrolled net.",
        "expose_hidden": "Take the first hidden state as bottoms and give the last as tops.",
    },
    "ReductionParameter": {
        "operation": "How.",
        "axis": "First axis that vanishes; it and all later ones. Negative counts from the end.",
        "coeff": "Factor on the result.",
    },
    "ReLUParameter": {
        "negative_slope": "Slope below zero.",
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
    },
    "ReshapeParameter": {
        "shape": "New sizes: 0 keeps the bottom's size, -1 (once) is what remains.",
        "axis": "First axis that is replaced; negative counts from the end.",
        "num_axes": "How many axes are replaced; -1 for all to the end.",
    },
    "ScaleParameter": {
        "axis": (
            "First axis of the first bottom that the factors lie along; negative counts from the "
            "end."
        ),
        "num_axes": (
            "How many axes they lie along, -1 for all to the end; for learned factors only."
        ),
        "filler": "First values of the learned factors; one where absent.",
        "bias_term": "Add a learned bias too.",
        "bias_filler": "First values of the bias; zero where absent.",
    },
    "SigmoidParameter": {
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
    },
    "SliceParameter": {
        "axis": "Axis to cut along; negative counts from the end.",
        "slice_point": "Where the second and later tops begin, rising; equal parts where absent.",
        "slice_dim": "Old spelling of `axis`, never negative.",
    },
    "SoftmaxParameter": {
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
        "axis": "Axis of the classes; negative counts from the end.",
    },
    "SwishParameter": {
        "beta": "Steepness of the sigmoid.",
    },
    "TanHParameter": {
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
    },
    "TileParameter": {
        "axis": "That axis; negative counts from the end.",
        "tiles": "How many times.",
    },
    "ThresholdParameter": {
        "threshold": "The threshold.",
    },
    "WindowDataParameter": {
        "source": "The window file: images, their boxes, labels and overlaps.",
        "scale": "Old place of transform_param.scale.",
        "mean_file": "Old place of transform_param.mean_file.",
        "batch_size": "Windows of one batch.",
        "crop_size": "Old place of transform_param.crop_size; windows are warped to this side.",
        "mirror": "Old place of transform_param.mirror.",
        "fg_threshold": "A window of at least this overlap is an object.",
        "bg_threshold": "A window of less overlap than this is background.",
        "fg_fraction": "Share of objects in a batch.",
        "context_pad": "Pixels around the window that are kept, measured after warping.",
        "crop_mode": "`warp` stretches the window, `square` takes the tightest square around it.",
        "cache_images": "Keep all files in memory.",
        "root_folder": "Put in front of every image path.",
    },
    "SPPParameter": {
        "pyramid_height": "Levels; level i has 4^i bins.",
        "pool": "What is taken of a bin.",
        "engine": "Which of Caffe's implementations to take; netdef chooses for itself.",
    },
    "V1LayerParameter": {
        "bottom": "Blobs it reads.",
        "top": "Blobs it makes.",
        "name": "Name of the layer.",
        "include": "The layer is there only where one of these rules holds.",
        "exclude": "The layer is away where one of these rules holds.",
        "type": "What it computes.",
        "blobs": "Values of the learned parameters.",
        "param": "Names of the learned parameters, for sharing; today param.name.",
        "blob_share_mode": "What sharers must agree on; today param.share_mode.",
        "blobs_lr": "Factors on the learning rate; today param.lr_mult.",
        "weight_decay": "Factors on the weight decay; today param.decay_mult.",
        "loss_weight": "Factor of each top in the loss.",
        "accuracy_param": "Settings of ACCURACY.",
        "argmax_param": "Settings of ARGMAX.",
        "concat_param": "Settings of CONCAT.",
        "contrastive_loss_param": "Settings of CONTRASTIVE_LOSS.",
        "convolution_param": "Settings of CONVOLUTION, DECONVOLUTION and IM2COL.",
        "data_param": "Settings of DATA.",
        "dropout_param": "Settings of DROPOUT.",
        "dummy_data_param": "Settings of DUMMY_DATA.",
        "eltwise_param": "Settings of ELTWISE.",
        "exp_param": "Settings of EXP.",
        "hdf5_data_param": "Settings of HDF5_DATA.",
        "hdf5_output_param": "Settings of HDF5_OUTPUT.",
        "hinge_loss_param": "Settings of HINGE_LOSS.",
        "image_data_param": "Settings of IMAGE_DATA.",
        "infogain_loss_param": "Settings of INFOGAIN_LOSS.",
        "inner_product_param": "Settings of INNER_PRODUCT.",
        "lrn_param": "Settings of LRN.",
        "memory_data_param": "Settings of MEMORY_DATA.",
        "mvn_param": "Settings of MVN.",
        "pooling_param": "Settings of POOLING.",
        "power_param": "Settings of POWER.",
        "relu_param": "Settings of RELU.",
        "sigmoid_param": "Settings of SIGMOID.",
        "softmax_param": "Settings of SOFTMAX and SOFTMAX_LOSS.",
        "slice_param": "Settings of SLICE.",
        "tanh_param": "Settings of TANH.",
        "threshold_param": "Settings of THRESHOLD.",
        "window_data_param": "Settings of WINDOW_DATA.",
        "transform_param": "How data layers scale, crop and mirror.",
        "loss_param": "What loss layers ignore and divide by.",
        "layer": "The layer in the V0 syntax, where the file is that old.",
    },
    "V0LayerParameter": {
        "name": "Name of the layer.",
        "type": "What it computes: conv, pool, innerproduct, relu, ...",
        "num_output": "Outputs of conv and innerproduct.",
        "biasterm": "Add a learned bias.",
        "weight_filler": "First values of the weights.",
        "bias_filler": "First values of the biases.",
        "pad": "Padding of conv, of pool, or of a `padding` layer in front of them.",
        "kernelsize": "Side of the filter or window.",
        "group": "Parts the channels are divided into.",
        "stride": "Steps between two places of the filter or window.",
        "pool": "What is taken of a window.",
        "dropout_ratio": "Chance of a value to be dropped.",
        "local_size": "Side of the neighbourhood of lrn.",
        "alpha": "Factor on lrn's sum.",
        "beta": "Exponent of lrn.",
        "k": "Added before lrn's exponent.",
        "source": "Database or list that data comes from.",
        "scale": "Factor on every value of the data.",
        "meanfile": "Mean image to take off.",
        "batchsize": "Examples of one batch.",
        "cropsize": "Side of the square cut out; 0 for the whole.",
        "mirror": "Flip left and right at random.",
        "blobs": "Values of the learned parameters.",
        "blobs_lr": "Factors on the learning rate.",
        "weight_decay": "Factors on the weight decay.",
        "rand_skip": "Skip a random number of examples at the start, less than this.",
        "det_fg_threshold": "A window of at least this overlap is an object.",
        "det_bg_threshold": "A window of less overlap than this is background.",
        "det_fg_fraction": "Share of objects in a batch.",
        "det_context_pad": "Pixels around a window that are kept, measured after warping.",
        "det_crop_mode": (
            "`warp` stretches the window, `square` takes the tightest square around it."
        ),
        "new_num": "Batch size after a reshape; Caffe drops it.",
        "new_channels": "Channels after a reshape; Caffe drops it.",
        "new_height": "Rows that images are resized to.",
        "new_width": "Columns that images are resized to.",
        "shuffle_images": "Take the images in random order.",
        "concat_dim": "Axis that concat joins along.",
        "hdf5_output_param": "Settings of hdf5_output.",
    },
    "PReLUParameter": {
        "filler": "First values of the slopes; 0.25 where absent.",
        "channel_shared": "One slope for all channels, rather than one for each.",
    },
}
