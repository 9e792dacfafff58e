"""The mistakes a text can hold."""

from __future__ import annotations

from netdef.diag import Problem, Severity


class UnexpectedToken(Problem):
    """Something stands where the text format wants something else.

    A file is a row of fields. A scalar field is `name: value`, a message field is
    `name { fields }`, a list is `name: [value, value]`. One `,` or `;` may follow a field.

    Wrong:
        name "conv1"
        kernel_size: [3 3]

    Right:
        name: "conv1"
        kernel_size: [3, 3]
    """

    code = "N001"


class UnclosedBlock(Problem):
    """A `{`, `<` or `[` is never closed.

    The place shown is the opener, since nothing at the end of the file says which is meant.
    netdef tells it from a top-level field that begins a line inside the block, and from how
    the lines are indented.

    Wrong:
        layer {
          name: "conv1"

        layer {
          name: "relu1"
        }

    Right:
        layer {
          name: "conv1"
        }

        layer {
          name: "relu1"
        }
    """

    code = "N002"


class StrayCloser(Problem):
    """A `}`, `>` or `]` closes nothing.

    Often a block above was closed once too often, or its opener was deleted.

    Wrong:
        layer { name: "conv1" } }

    Right:
        layer { name: "conv1" }
    """

    code = "N003"


class MismatchedCloser(Problem):
    """A block is closed by another character than its opener asks for.

    `{` is closed by `}`, `<` by `>`, `[` by `]`.

    Wrong:
        layer { name: "conv1" >
        kernel_size: [3, 3}

    Right:
        layer { name: "conv1" }
        kernel_size: [3, 3]
    """

    code = "N004"


class BadString(Problem):
    """A string does not end on its line.

    A string stands between two `"` or two `'` on one line. A long one may be given in parts,
    each with its own quotes, that stand side by side.

    Wrong:
        name: "conv1
        type: SGD"

    Right:
        name: "conv1"
        source: "/data/a/very/long/"
                "path"
    """

    code = "N005"


class BadEscape(Problem):
    r"""A backslash in a string begins no escape that the text format knows.

    Known are \n \t \r \a \b \f \v \\ \' \" \?, octal \101, hexadecimal \x41, and characters
    by number, \u00e9 and \U0001f600. A backslash itself is written twice.

    Wrong:
        source: "C:\data\train"

    Right:
        source: "C:\\data\\train"
        source: "C:/data/train"
    """

    code = "N006"


class BadNumber(Problem):
    """A number is not written as the text format writes numbers.

    Integers are decimal, octal with a leading 0, or hexadecimal with 0x; so 08 is no number.
    Other numbers are decimal: 0.5, .5, 1e-3, 10f. Digits are not grouped, a `+` is not
    written, and a letter may not follow at once.

    Wrong:
        num_output: 08
        base_lr: 1e-
        kernel_size: 3x3

    Right:
        num_output: 8
        base_lr: 1e-3
        kernel_size: 3
    """

    code = "N007"


class BadCharacter(Problem):
    """A character means nothing to the text format.

    Outside strings and comments there are names, numbers, and `{ } < > [ ] : , ; -`; space is
    a blank, a tab or a line break. Typographic quotes and no-break spaces come from word
    processors and web pages, `$name$` from a template nobody filled in.

    Wrong:
        batch_size: $batch_size$
        source: /data/train

    Right:
        batch_size: 64
        source: "/data/train"
    """

    code = "N008"


class SlashComment(Problem):
    """A comment begins with `//` or `/*`; the text format has only `#`.

    `netdef check --fix` writes it, also for a `/* ... */` of several lines. Where something
    stands behind the `*/` it would become part of the comment: move it to a line of its own.

    Wrong:
        // the first layer

    Right:
        # the first layer
    """

    code = "N009"


class UnknownField(Problem):
    """A message has no field of this name.

    It may be misspelt, stand in the wrong block, or come from a fork of Caffe; the report names
    the forks that are known to have it. `netdef check`, `draw` and `summary` pass over such
    fields with `--allow-unknown`. A name with one slip is mended by `netdef check --fix`.

    Wrong:
        convolution_param { kernal_size: 5 }

    Right:
        convolution_param { kernel_size: 5 }
    """

    code = "N010"


class WrongType(Problem):
    """A field does not take a value of this kind.

    Strings want quotes; numbers, true, false and the names of enum values want none.
    A message field takes a block. An integer has no point and no exponent.

    Wrong:
        type: SGD
        pool: "MAX"
        max_iter: 1e5

    Right:
        type: "SGD"
        pool: MAX
        max_iter: 100000
    """

    code = "N011"


class OutOfRange(Problem):
    """An integer is too large or too small for its field.

    An int32 holds -2147483648 to 2147483647, a uint32 0 to 4294967295.

    Wrong:
        kernel_size: -1

    Right:
        kernel_size: 1
    """

    code = "N012"


class UnknownEnumValue(Problem):
    """An enum has no value of this name or number.

    Case counts: the names are mostly upper case.

    Wrong:
        pool: Max

    Right:
        pool: MAX
    """

    code = "N013"


class DuplicateField(Problem):
    """A field that takes one value is given twice.

    Both places are shown. Only repeated fields may be given more than once.

    Wrong:
        max_iter: 10000
        max_iter: 20000

    Right:
        max_iter: 20000
    """

    code = "N014"


class ListForSingular(Problem):
    """A list is given to a field that takes one value.

    Wrong:
        device_id: [0, 1]

    Right:
        device_id: 0
    """

    code = "N015"


class MissingRequired(Problem):
    """A message lacks a field that it must have.

    Wrong:
        blob_shape { }

    Right:
        blob_shape { dim: 3 }
    """

    code = "N016"


class BadBool(Problem):
    """A field that is true or false is given something else.

    Taken are `true`, `True`, `t`, `1`, and `false`, `False`, `f`, `0`.

    Wrong:
        bias_term: FALSE
        global_pooling: yes

    Right:
        bias_term: false
        global_pooling: true
    """

    code = "N017"


class OneofTwice(Problem):
    """Two fields are given of which a message takes one.

    Both belong to one `oneof` of the message: setting one unsets the others.

    Wrong:
        number: 1 text: "one"

    Right:
        number: 1
    """

    code = "N018"


class BadEncoding(Problem):
    r"""A string is not valid UTF-8.

    Files of other encodings (GBK, Latin-1) and escapes like "\xff" make such strings. What
    an escape makes must be valid; of raw bytes netdef shows those it cannot read as U+FFFD
    and goes on, as Caffe does.

    Wrong:
        name: "\xff"

    Right:
        name: "\u00ff"
    """

    code = "N019"


class ByteOrderMark(Problem):
    """The file begins with a byte-order mark, which Caffe does not read.

    netdef skips it. Editors that write "UTF-8 with BOM" can also write plain UTF-8.
    """

    code = "N020"
    default_severity = Severity.NOTE


class CarriageReturn(Problem):
    """The lines end in CRLF, as Windows editors write them.

    Caffe and netdef read them alike; nothing needs to change.
    """

    code = "N021"
    default_severity = Severity.NOTE


class BinaryFile(Problem):
    """The file is not text.

    Weights (`.caffemodel`) and solver states are binary; nets and solvers are text. Perhaps
    the two were given in each other's place.
    """

    code = "N022"


class UnknownExtension(Problem):
    """A name in brackets is no extension of the message, or no type that an Any can hold.

    Wrong:
        [no.such.extension]: 1
    """

    code = "N023"


class MoreMistakes(Problem):
    """The text has more mistakes than are worth showing.

    Mend the first ones: the others often follow from them.
    """

    code = "N024"
