"""The paper's tables and figures, one command each: CSV, picture, and the settings as a line of JSON.

    python -m train.paper figure5                        # t0: what is kept of a sound, what is given of a prompt
    python -m train.paper figure7 --scales 1 2 3 5 8     # guidance: CLAP and FD
    python -m train.paper table2 --minutes 3             # six masks in training, narrow and wide ones in evaluation
    python -m train.paper table2 --networks thin=A medium=B thick=C frame-30=D frame-50=E frame-70=F
    python -m train.paper table7 --systems ours=made/ theirs=other/ --reference real/ --captions test.csv
    python -m train.paper check                          # the harness itself: recordings against themselves, and noise

Sizes are those of a small machine; `--help` of each has the flags for the paper's. What was made is kept in --out, and
a command that was cut off goes on. Intervals are 95 % over clips; where two of them overlap, no difference was seen.
docs/paper.md tells what these commands showed, and what they cannot show.
"""
