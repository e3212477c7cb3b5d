"""A whole training on a rented GPU that takes commands over a copy of this folder, in calls limited in size and time.

Here, once (what to carry in which call is printed):
    python -m train.lease pack --to runs/lease --chunk-mb 48
There, in each of the first calls, with the paths that were printed; it says which chunks are still missing:
    python -m train.lease unpack
There, in the call that brings the last chunk; the stages run on when the call is over:
    python -m train.lease unpack && python -m train.lease start --minutes 25 && python -m train.lease status
There, until it says that the lease is finished; each call waits, and leaves the newest weights in a folder:
    python -m train.lease collect --out results --wait 540
Here, after each call or after the last one; then listen, evaluate, and take the model over if it is better:
    python -m train.lease bring --results results-1 results-2
    python -m train.evaluate --model runs/lease/model
    python -m train.lease swap --model runs/lease/model --to checkpoints/small

It adds to what ships: the weights of the model in `--model` are packed too, and every stage goes on from them. The far
machine needs PyTorch, transformers, accelerate, safetensors, SciPy and NumPy, and nothing that reads sound files.
"""
