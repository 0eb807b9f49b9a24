/** Versions are numbers, not text. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareVersions, highestVersion, isBundleVersion, isTritonVersion } from '../../src/control/versions.js';

test.each(['1.0.0', '0.0.1', '10.20.30'])('%s is a version', (name) => expect(isBundleVersion(name)).toBe(true));

test.each(['1', '1.0', '1.0.0.0', '01.0.0', '1.0.0-rc1', 'v1.0.0', '.tmp', '1.0.0.tmp', ''])('%j is none', (name) => {
	expect(isBundleVersion(name)).toBe(false);
});

test.each(['1', '10', '20261121'])('%s is a version of Triton’s', (name) => expect(isTritonVersion(name)).toBe(true));

test.each(['0', '01', '1.0', '-1', '+1', '1e3', 'one', ''])('%j is none', (name) => expect(isTritonVersion(name)).toBe(false));

test('ten is higher than nine', () => {
	expect(highestVersion(['1.9.0', '1.10.0', '1.2.30'])).toBe('1.10.0');
	expect(highestVersion(['9', '10'])).toBe('10');
	expect(highestVersion([])).toBeUndefined();
});

test('the order is that of the numbers', () => {
	const version = fc.tuple(fc.nat(20), fc.nat(20), fc.nat(20));
	fc.assert(
		fc.property(version, version, (a, b) => {
			const value = ([major, minor, patch]: number[]) => (major ?? 0) * 441 + (minor ?? 0) * 21 + (patch ?? 0);
			expect(Math.sign(compareVersions(a.join('.'), b.join('.')))).toBe(Math.sign(value(a) - value(b)));
		}),
	);
});
