"""The exception tree: every error that a user can cause, each with one line that says what to do.

The command line turns `UsageError` into exit status 2 and `ImageError` into a failed input (exit status 1);
beside them it catches only the system's own errors, so that a fault of ours still shows its traceback to us.
"""


class ClothingError(Exception):
    """Root of the tree; `str(error)` is one line: what is wrong, where, and what to do."""


class UsageError(ClothingError):
    """The command can't start or go on: a wrong option, unusable input, a missing file."""


class ConfigError(UsageError):
    """A setting is unknown, of the wrong type or out of range; names the key and what was expected."""


class DatasetError(UsageError):
    """A data set can't be used at all: no table, no column, no rows; single bad rows are `BadRow`s instead."""


class BundleError(UsageError):
    """A bundle is missing, damaged (a hash differs) or of a format that this version does not read."""


class ModelOutputError(UsageError):
    """A model's output for a photo is no probability distribution over its labels; names the photo and the output."""


class ExportError(UsageError):
    """A network did not pass the export gate: its graph disagrees with torch, or there are too few images."""


class AnalysisError(UsageError):
    """A network can't be analysed: it does not build, can't take such an image, or its graph depends on pixels."""


class DownloadError(UsageError):
    """Files of a data set could not be fetched whole and right; the message names some, `failures` each."""

    def __init__(self, message: str, failures: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.failures = failures


class MissingExtraError(UsageError):
    """An optional dependency is absent; names the `pip install` that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(package, extra)  # what unpickling, as of a worker's error, builds it from

    def __str__(self) -> str:
        package, extra = self.args
        return f"{package} is not installed: pip install '.[{extra}]' in the project's folder"


class ImageError(ClothingError):
    """One image can't be read; the rest of its batch goes on."""


class ImageNotFoundError(ImageError):
    """There is no such file, or it is not a file."""


class ImageUnreadableError(ImageError):
    """The operating system refused to read the file."""


class ImageEmptyError(ImageError):
    """The file has no bytes."""


class ImageTooManyBytesError(ImageError):
    """The file is larger than the limit."""


class ImageTooManyPixelsError(ImageError):
    """Width times height is over the limit (a decompression bomb, usually)."""


class ImageTooLongError(ImageError):
    """One side is over the limit."""


class ImageFormatError(ImageError):
    """The content is not one of the accepted formats, whatever the name says."""


class ImageCorruptError(ImageError):
    """The content starts as an accepted format and then breaks: truncated or damaged."""


def without_frames(error: ImageError) -> ImageError:
    """The error without the frames that it came through, which would keep the photo in memory as long as itself."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
