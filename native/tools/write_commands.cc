// `ids` and `table`: from JSON and NumPy files to the formats of a bundle.
#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "store/id_map.h"
#include "store/table.h"
#include "tools/commands.h"
#include "tools/npy.h"
#include "tools/report.h"

namespace rankd::tools {
namespace {

Status wrong_id(size_t row, std::string_view expected) {
    return Status(Code::INVALID_ARGUMENT, "element " + std::to_string(row) + " is not " + std::string(expected) +
                                              ": ids are all texts or all unsigned integers");
}

/// Elements of a JSON array as one type; `T` is std::string_view (into the parser) or uint64_t.
template <typename T>
Result<std::vector<T>> elements(simdjson::dom::array array, std::string_view expected) {
    std::vector<T> ids;
    for (const simdjson::dom::element element : array) {
        T id;
        if (element.get(id) != simdjson::SUCCESS) return wrong_id(ids.size(), expected);
        ids.push_back(id);
    }
    return ids;
}

/// Writes the map in the kind that the first element has. @return how many ids
Result<uint64_t> write_ids(const std::string& from, const std::string& out) {
    simdjson::dom::parser parser;
    simdjson::dom::array array;
    if (const auto error = parser.load(from).get(array)) {
        return Status(Code::INVALID_ARGUMENT, from + ": " + simdjson::error_message(error) + ", expected a JSON array");
    }
    const auto first = array.begin();
    if (first != array.end() && !(*first).is_string()) {
        RANKD_ASSIGN_OR_RETURN(const std::vector<uint64_t> ids, elements<uint64_t>(array, "an unsigned integer"));
        RANKD_RETURN_IF_ERROR(store::write_id_map(out, std::span(ids)));
        return uint64_t{ids.size()};
    }
    RANKD_ASSIGN_OR_RETURN(const std::vector<std::string_view> ids, elements<std::string_view>(array, "a text"));
    RANKD_RETURN_IF_ERROR(store::write_id_map(out, std::span(ids)));
    return uint64_t{ids.size()};
}

std::optional<store::DType> parse_dtype(std::string_view name) {
    using store::DType;
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kI8, DType::kU32, DType::kU64, DType::kRaggedU32}) {
        if (store::dtype_name(dtype) == name) return dtype;
    }
    return std::nullopt;
}

/// One --column with the numbers it points to.
struct ColumnSource {
    store::ColumnSpec spec;
    std::vector<std::string> files;
    std::vector<float> floats;
    std::vector<uint32_t> integers, offsets;
    std::vector<uint64_t> long_integers;
};

/// Splits NAME=DTYPE:FILE[,FILE]. @return INVALID_ARGUMENT
Result<ColumnSource> parse_column(const std::string& text) {
    const size_t equals = text.find('='), colon = text.find(':', equals == std::string::npos ? 0 : equals);
    if (equals == std::string::npos || colon == std::string::npos) {
        return Status(Code::INVALID_ARGUMENT, "--column \"" + text + "\" is not NAME=DTYPE:FILE");
    }
    ColumnSource column;
    column.spec.name = text.substr(0, equals);
    const std::string dtype = text.substr(equals + 1, colon - equals - 1);
    const std::optional<store::DType> known = parse_dtype(dtype);
    if (!known) {
        return Status(Code::INVALID_ARGUMENT,
                      "--column \"" + text + "\": dtype " + dtype + " is none of f32, f16, i8, u32, u64, ragged");
    }
    column.spec.dtype = *known;
    const std::string files = text.substr(colon + 1);
    const size_t comma = files.find(',');
    column.files.push_back(files.substr(0, comma));
    if (comma != std::string::npos) column.files.push_back(files.substr(comma + 1));
    const size_t expected = *known == store::DType::kRaggedU32 ? 2 : 1;
    if (column.files.size() != expected) {
        return Status(Code::INVALID_ARGUMENT, "--column \"" + text + "\": " + dtype + " takes " +
                                                  (expected == 2 ? "VALUES.npy,OFFSETS.npy" : "one file"));
    }
    return column;
}

Status load_column(ColumnSource& column) {
    store::ColumnSpec& spec = column.spec;
    RANKD_ASSIGN_OR_RETURN(const NpyArray array, NpyArray::open(column.files[0]));
    spec.width = static_cast<uint32_t>(array.width());
    spec.value_count = array.size();
    if (spec.dtype == store::DType::kU64) {
        RANKD_ASSIGN_OR_RETURN(column.long_integers, array.u64());
        spec.data = column.long_integers.data();
    } else if (spec.dtype == store::DType::kU32 || spec.dtype == store::DType::kRaggedU32) {
        RANKD_ASSIGN_OR_RETURN(column.integers, array.u32());
        spec.data = column.integers.data();
    } else {
        RANKD_ASSIGN_OR_RETURN(column.floats, array.floats());
        spec.data = column.floats.data();
    }
    if (spec.dtype == store::DType::kRaggedU32) {
        RANKD_ASSIGN_OR_RETURN(const NpyArray offsets, NpyArray::open(column.files[1]));
        if (array.width() != 1 || offsets.width() != 1) {
            return Status(Code::INVALID_ARGUMENT, "column \"" + spec.name + "\": values and offsets must have one dimension");
        }
        RANKD_ASSIGN_OR_RETURN(column.offsets, offsets.u32());
        spec.offsets = column.offsets;
        spec.width = 0;
    }
    return Status::ok();
}

}  // namespace

int command_ids(const Args& args) {
    const Result<std::string> out = args.text("out"), from = args.text("from");
    if (!out.is_ok()) return usage_error(args, out.status());
    if (!from.is_ok()) return usage_error(args, from.status());
    const Result<uint64_t> count = write_ids(*from, *out);
    if (!count.is_ok()) return fail(args, count.status());
    Report report;
    report.add("file", *out);
    report.add("ids", *count);
    report.print(args.flag("json"));
    return kSuccess;
}

int command_table(const Args& args) {
    const Result<std::string> out = args.text("out"), rows = args.text("rows");
    if (!out.is_ok()) return usage_error(args, out.status());
    if (!rows.is_ok()) return usage_error(args, rows.status());
    const Result<uint32_t> row_count = args.number_or("rows", 0);
    if (!row_count.is_ok()) return usage_error(args, row_count.status());
    std::vector<ColumnSource> columns;
    for (const std::string& text : args.all("column")) {
        Result<ColumnSource> column = parse_column(text);
        if (!column.is_ok()) return usage_error(args, column.status());
        columns.push_back(std::move(column).value());
    }
    if (columns.empty()) return usage_error(args, Status(Code::INVALID_ARGUMENT, "at least one --column is required"));

    std::vector<store::ColumnSpec> specs;
    for (ColumnSource& column : columns) {
        if (const Status status = load_column(column); !status.is_ok()) return fail(args, status);
        specs.push_back(column.spec);
    }
    if (const Status status = store::write_table(*out, *row_count, specs); !status.is_ok()) return fail(args, status);
    Report report;
    report.add("file", *out);
    report.add("rows", *row_count);
    report.add("columns", uint64_t{specs.size()});
    report.print(args.flag("json"));
    return kSuccess;
}

}  // namespace rankd::tools
