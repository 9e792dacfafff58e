"""What is written down of a training, and read again: TensorBoard, JSONL, CSV, Caffe's logs.

Knows events of a training and looks of a watcher. Has never heard of what they mean.
"""
