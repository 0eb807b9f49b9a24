import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findViolations } from '../check-arrows.mjs';

const violations = (path, text) => findViolations([{ path, text }]);

test('an include that points inwards, or stays in its ring, is fine', () => {
	assert.deepEqual(violations('engine/core.cc', '#include "pipeline/plan.h"\n#include "engine/core.h"\n#include <vector>\n'), []);
});

test('an include that points outwards is told with its file and line', () => {
	const [text] = violations('index/index.h', '#pragma once\n#include "engine/core.h"\n');
	assert.match(text, /^native\/index\/index\.h:2: index may not know engine/);
	assert.match(text, /#include "engine\/core\.h"$/);
});

test('neighbours do not know each other', () => {
	assert.equal(violations('store/table.cc', '#include "index/index.h"').length, 1);
	assert.equal(violations('kernels/kernels.cc', '#include "wire/id.h"').length, 1);
});

test('each foreign library has its one place', () => {
	assert.match(violations('engine/core.cc', '#include <napi.h>')[0], /only native\/napi\/ may include Node headers/);
	assert.match(violations('pipeline/score.cc', '#include <onnxruntime_cxx_api.h>')[0], /ONNX Runtime/);
	assert.match(violations('pipeline/plan.cc', '#include <simdjson.h>')[0], /simdjson/);
	assert.match(violations('store/table.cc', '#  include "hnswlib/hnswlib.h"')[0], /hnswlib/);
	assert.deepEqual(violations('wire/json_reader.h', '#include <simdjson.h>'), []);
	assert.deepEqual(violations('pipeline/json_fields.cc', '#include <simdjson.h>'), []);
});

test('a file beside its includer is named from native/ all the same', () => {
	assert.match(violations('store/table.cc', '#include "table.h"')[0], /a path from native\//);
});

test('tools and tests may see everything', () => {
	assert.deepEqual(violations('tests/engine_test.cc', '#include <simdjson.h>\n#include "engine/core.h"'), []);
});

test('a folder that is no ring is asked what it is', () => {
	assert.match(violations('misc/x.cc', '#include "base/status.h"')[0], /"misc" is no ring/);
});
