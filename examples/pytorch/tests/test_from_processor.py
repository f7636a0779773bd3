# SPDX-FileCopyrightText: 2026 the luq authors
# SPDX-License-Identifier: Apache-2.0
"""The script that makes calibration files: lines as people have them, what it says of wrong ones, what it writes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlavaProcessor, PreTrainedTokenizerFast
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from conftest import LLAVA_IMAGE_TOKEN, QWEN_IMAGE_TOKEN, load_script
from luq.dataset import CalibrationSet

SCRIPT = Path(__file__).parents[2] / "vlm" / "calibration" / "from_processor.py"
script = load_script(SCRIPT)

#: Where Python has neither the locale's help nor its own to know UTF-8.
C_LOCALE = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def write_lines(folder: Path, content: bytes) -> Path:
    (folder / "lines.jsonl").write_bytes(content)
    return folder / "lines.jsonl"


def picture(path: Path, size: tuple[int, int] = (40, 30)) -> Path:
    Image.new("RGB", size, (200, 100, 50)).save(path)
    return path


@pytest.fixture(scope="module")
def llava_processor(tmp_path_factory) -> Path:
    """The directory of a processor for the model of conftest.py: words are tokens, pictures have four."""
    words = ["<unk>", "<pad>", "a", "cat", "sat", "grün", "☕", *(f"word{i}" for i in range(7, 49)), "<image>"]
    assert words.index("<image>") == LLAVA_IMAGE_TOKEN
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    processor = LlavaProcessor(
        CLIPImageProcessorPil(size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}),
        PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, unk_token="<unk>", pad_token="<pad>", additional_special_tokens=["<image>"]
        ),
        patch_size=14,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
    )
    directory = tmp_path_factory.mktemp("processor")
    processor.save_pretrained(directory)
    return directory


def run(arguments: list, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, env={**C_LOCALE, **environment}, capture_output=True, encoding="utf-8")


def test_lines_end_at_newlines_only(tmp_path):
    """Of all that Unicode calls the end of a line, JSON lets all but newlines and carriage returns be in a string."""
    ends = "a\u2028b\u2029c\u0085d\x7fe"
    content = f'{{"text": "{ends}"}}\n{{"text": "next"}}'.encode()
    lines = script.read_lines(write_lines(tmp_path, content))
    assert [line.text for line in lines] == [ends, "next"]
    assert [line.place for line in lines] == [f"{tmp_path / 'lines.jsonl'}:{number}" for number in (1, 2)]


def test_marks_blank_lines_and_carriage_returns_are_passed_over(tmp_path):
    image = picture(tmp_path / "cat.png")
    content = (
        b'\xef\xbb\xbf{"text": "one", "id": 7}\r\n'
        b"\r\n   \n\n"
        b'  {"image": null, "text": "two"}\r\n'
        b'{"image": "cat.png", "text": ""}\r\n\r\n'
    )
    lines = script.read_lines(write_lines(tmp_path, content))
    assert [(line.text, line.image) for line in lines] == [("one", None), ("two", None), ("", image)]
    assert [int(line.place.rsplit(":")[-1]) for line in lines] == [1, 5, 6]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (b"{'text': 'a'}", "expected JSON: Expecting property name"),
        (b'{"text": "a"', "expected JSON: Expecting ',' delimiter (character 13)"),
        (b'{"text": "a\rb"}', "expected JSON: Invalid control character at (character 12)"),
        (b'\xef\xbb\xbf{"text": "a"}', "expected JSON: Unexpected UTF-8 BOM"),
        (b'{"text": "gr\xfcn"}', "expected UTF-8, got byte 0xfc at 13"),
        ('{"text": "a"}'.encode("utf-16"), "expected UTF-8, got byte 0xff at 1"),
        (b'["a"]', 'expected an object with a "text", got ["a"]'),
        (b"null", 'expected an object with a "text", got null'),
        (b'{"image": "cat.png"}', 'expected a "text", found none'),
        (b'{"text": null}', '"text": expected a string, got null'),
        (b'{"text": 5}', '"text": expected a string, got 5'),
        (b'{"text": "\\ud83d"}', '"text": expected Unicode, got half of a surrogate pair'),
        (b'{"text": "a", "image": false}', '"image": expected a string, got false'),
        (b'{"text": "a", "image": ["cat.png"]}', '"image": expected a string, got ["cat.png"]'),
        (b'{"text": "a", "image": "dog.png"}', '"image": there is no file '),
        (b'{"text": "a", "image": "\\u0000"}', '"image": there is no file '),
        (b'{"text": "a", "image": ""}', '"image": there is no file '),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_place(tmp_path, second, message):
    picture(tmp_path / "cat.png")
    path = write_lines(tmp_path, b'{"text": "one"}\n' + second + b"\n")
    with pytest.raises(script.InputError) as raised:
        script.read_lines(path)
    assert str(raised.value).startswith(f"{path}:2: {message}")
    assert "\n" not in str(raised.value)


def test_a_file_without_lines_or_that_is_absent_is_named(tmp_path):
    with pytest.raises(script.InputError, match="absent.jsonl: cannot be read: No such file"):
        script.read_lines(tmp_path / "absent.jsonl")
    with pytest.raises(script.InputError, match="lines.jsonl: expected a sequence in each line, found blank lines"):
        script.read_lines(write_lines(tmp_path, b"\xef\xbb\xbf\r\n\n"))


def test_it_writes_what_the_package_reads_whatever_the_locale(llava_processor, tmp_path):
    folder = tmp_path / "grün"
    folder.mkdir()
    picture(folder / "grün.png")
    content = '{"image": "grün.png", "text": "a grün cat"}\n{"text": "☕ sat", "image": null}\n{"text": "a"}\n'
    path = write_lines(folder, content.encode())
    done = run([llava_processor, path, tmp_path / "calibration.safetensors"])
    assert done.returncode == 0, done.stderr[-2000:]
    calibration = CalibrationSet(tmp_path / "calibration.safetensors")
    image = [LLAVA_IMAGE_TOKEN] * 4
    assert [s.input_ids.tolist() for s in calibration.sequences] == [[*image, 2, 5, 3], [6, 4], [2]]
    assert [s.image for s in calibration.sequences] == [0, -1, -1]
    assert calibration.image(0)["pixel_values"].shape == (1, 3, 28, 28)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "ü", "image": "grün.png"}', '"image": there is no file '),
        ('{"text": "a cat"', "expected JSON: Expecting ',' delimiter (character 17)"),
    ],
)
def test_an_error_is_one_line(llava_processor, tmp_path, line, message):
    path = write_lines(tmp_path, f'{{"text": "a"}}\n\n{line}\n'.encode())
    done = run([llava_processor, path, tmp_path / "calibration.safetensors"], TRANSFORMERS_VERBOSITY="error")
    assert done.returncode == 1
    assert done.stderr.startswith(f"{path}:3: {message}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "calibration.safetensors").exists()


class QwenLikeProcessor:
    """Its interface, as far as the script needs it: words are tokens, a picture is a grid of patches of one value."""

    image_token = "<|image_pad|>"

    def __init__(self) -> None:
        self.tokenizer = self

    def get_vocab(self) -> dict[str, int]:
        return {"<|vision_start|>": 57, "<|vision_end|>": 58, self.image_token: QWEN_IMAGE_TOKEN}

    def __call__(self, text, images=(), return_tensors="pt"):
        if len(images) != text[0].count(self.image_token):
            raise ValueError("pictures and their places differ\nin number")
        encoded, words = {}, text[0].replace("<", " <").replace(">", "> ").split()
        if images:
            rows, cols = images[0].height // 14, images[0].width // 14
            encoded["pixel_values"] = torch.full((rows * cols, 6), float(images[0].getpixel((0, 0))[0]))
            encoded["image_grid_thw"] = torch.tensor([[1, rows, cols]])
            at = words.index(self.image_token)
            words[at : at + 1] = [self.image_token] * (rows * cols // 4)
        ids = [self.get_vocab().get(word, len(word)) for word in words]
        return {"input_ids": torch.tensor([ids], dtype=torch.int64), **encoded}


def encode_all(lines) -> dict[str, torch.Tensor]:
    return script.collect([script.encode(QwenLikeProcessor(), line) for line in lines])


def test_pictures_of_any_size_are_patches_with_their_grids(tmp_path):
    small, large = picture(tmp_path / "small.png", (28, 28)), picture(tmp_path / "large.png", (56, 28))
    tensors = encode_all(
        [
            script.Line("1", "four", small),
            script.Line("2", "word", None),
            script.Line("3", "of <|image_pad|> it", large),
        ]
    )
    assert tensors["input_ids"].tolist() == [[57, 55, 58, 4], [4, 0, 0, 0], [2, 55, 55, 2]]
    assert tensors["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 0, 0, 0], [1, 1, 1, 1]]
    assert tensors["image_index"].tolist() == [0, -1, 1]
    assert tensors["image_grid_thw"].tolist() == [[1, 2, 2], [1, 2, 4]]
    assert tensors["pixel_values"].shape == (4 + 8, 6)


def test_texts_alone_and_pictures_alone_are_files_of_their_own(tmp_path):
    image = picture(tmp_path / "cat.png", (28, 28))
    texts = encode_all([script.Line("1", "a cat", None), script.Line("2", "sat", None)])
    assert set(texts) == {"input_ids", "attention_mask", "image_index"}
    save_file(texts, tmp_path / "texts")
    assert [s.image for s in CalibrationSet(tmp_path / "texts").mix(0.0)] == [-1, -1]
    pictures = encode_all([script.Line("1", "a cat", image), script.Line("2", "sat", image)])
    save_file(pictures, tmp_path / "pictures")
    assert [s.image for s in CalibrationSet(tmp_path / "pictures").mix(1.0)] == [0, 1]
    assert load_file(tmp_path / "pictures")["image_grid_thw"].shape == (2, 3)


@pytest.mark.parametrize(
    ("text", "image", "message"),
    [
        ("a <|image_pad|>", None, 'FILE:9: "text": expected no <|image_pad|> without an "image"'),
        ("<|image_pad|> <|image_pad|>", "cat.png", "FILE:9: pictures and their places differ"),
        ("", None, 'FILE:9: "text": expected a token at least, got none'),
        ("a", "broken.png", "cannot be read as a picture: cannot identify image file"),
        ("a", "cut.png", "cannot be read as a picture: "),
    ],
)
def test_what_the_processor_cannot_take_is_said_with_its_place(tmp_path, text, image, message):
    data = picture(tmp_path / "cat.png", (280, 280)).read_bytes()
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "cut.png").write_bytes(data[: len(data) // 2])
    with pytest.raises(script.InputError) as raised:
        script.encode(QwenLikeProcessor(), script.Line("FILE:9", text, tmp_path / image if image else None))
    assert str(raised.value).startswith("FILE:9: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
