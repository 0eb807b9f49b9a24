"""What a user of this package can meet and mend; the command line prints the text and exits with the code."""


class TrainError(Exception):
    """Something the caller can put right; the message says how."""

    exit_code = 1


class ConfigError(TrainError):
    """A configuration key is unknown, missing or of the wrong type."""

    exit_code = 2


class DataMissing(TrainError):
    """The data set is not on this machine, or is not the snapshot it should be."""

    exit_code = 3


class ExportMismatch(TrainError):
    """TorchScript, ONNX Runtime and the engine do not agree on the same weights."""

    exit_code = 4


class DataError(TrainError):
    """The data are there, but cannot be read as what the recipe says they are, or nothing can be learned from them."""

    exit_code = 5


class AlreadyRead(TrainError):
    """The test part was looked at before, with other weights: what is chosen now is chosen by it."""

    exit_code = 6
