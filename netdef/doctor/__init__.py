"""The doctor: why a net does not learn.

Knows solvers and nets that run, and what healthy figures are: it measures, says what it finds
and which change of the prototxt cures it. Has never heard of the command line. Stands above
`run`, whose nets it looks at while they train, and above `lint`, whose ways through nets it uses.

`examine` measures, `findings` judge; `watching` does both while a training goes on. `gradcheck`,
`ranging` and `record` are what a careful person does by hand: gradients checked by numbers, the
rate found by trying, curves written down.
"""
