from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthcity.errors import DataError
from synthcity.market.columns import COLUMNS
from synthcity.market.store.dayfile import SCHEMA, day_name, read_day, write_day
from tests.market.factories import START, assert_equal, make_bars

BARS = make_bars(288)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / day_name(START)
    write_day(found, BARS)
    return found


def test_a_day_comes_back_bit_for_bit_and_proven(path):
    assert path.name == "2025-01-01.parquet"
    found = read_day(path, 300)
    assert_equal(found.bars, BARS)
    assert found.is_proven


def flipped(content: bytes, bit: int) -> bytes:
    damaged = bytearray(content)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


def test_no_flipped_bit_gives_other_prices(path):
    content = path.read_bytes()
    footer = len(content) - int.from_bytes(content[-8:-4], "little") - 8
    rng = np.random.default_rng(0)
    bits = [*rng.integers(0, 8 * footer, 200), *rng.integers(8 * footer, 8 * len(content), 200)]
    refused = []
    for bit in bits:
        path.write_bytes(flipped(content, int(bit)))
        try:
            found = read_day(path, 300)
        except DataError as error:
            refused.append(str(error))
        else:
            assert_equal(found.bars, BARS)
    assert all(path.name in text and "import or download that day again" in text for text in refused)
    assert len(refused) > 250  # the others are in names and numbers that nobody reads


def test_pages_carry_checksums_that_other_readers_know(path):
    content = path.read_bytes()
    middle = pq.ParquetFile(path).metadata.row_group(0).column(3).data_page_offset + 100
    path.write_bytes(flipped(content, 8 * middle))
    with pytest.raises(OSError, match="checksum"):
        pq.ParquetFile(path, page_checksum_verification=True).read()


def test_pages_are_checked_where_there_is_no_hash(path):
    pq.write_table(pq.read_table(path).replace_schema_metadata(), path, use_dictionary=False, write_page_checksum=True)
    middle = pq.ParquetFile(path).metadata.row_group(0).column(3).data_page_offset + 100
    path.write_bytes(flipped(path.read_bytes(), 8 * middle))
    with pytest.raises(DataError, match=r"cannot read .*checksum"):
        read_day(path, 300)


def test_values_that_do_not_fit_the_hash_are_refused(path):
    table = pq.read_table(path)
    close = table.column("close").to_numpy().copy()
    close[7] = BARS.low[7]
    table = table.set_column(4, SCHEMA.field(4), pa.array(close))
    pq.write_table(table, path)
    with pytest.raises(DataError, match=r"2025-01-01\.parquet is damaged: its values do not fit its checksum"):
        read_day(path, 300)


def test_files_of_before_there_were_checksums_are_read_and_not_proven(path):
    pq.write_table(pq.read_table(path).replace_schema_metadata(), path)
    found = read_day(path, 300)
    assert_equal(found.bars, BARS)
    assert not found.is_proven


@pytest.mark.parametrize("what", ["pipe", "folder", "nothing"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path, what):
    path = tmp_path / day_name(START)
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    with pytest.raises(DataError, match="is no regular file; delete"):
        read_day(path, 300)


def test_all_columns_are_in_the_file(path):
    assert pq.read_schema(path).names == ["timestamp", *COLUMNS]
