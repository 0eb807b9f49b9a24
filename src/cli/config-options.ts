/** The configuration keys as command-line options. */
import { type Command, Option } from 'commander';
import { flagName, type Key, keyNames, keys } from '../config/keys.js';

const collect = (value: string, earlier: string[] | undefined): string[] => [...(earlier ?? []), value];

export function addConfigOptions(command: Command): Command {
	command.option('--config <file>', 'YAML or JSON file with these keys in snake_case (also RANKD_CONFIG)');
	for (const name of keyNames) command.addOption(optionOf(name));
	return command;
}

function optionOf(name: (typeof keyNames)[number]): Option {
	const { help, allowed, shown, isList }: Key<unknown> = keys[name];
	const isSwitch = allowed === 'true or false';
	const option = new Option(`${flagName(name)} ${isSwitch ? '[true|false]' : `<${placeholder(allowed)}>`}`, `${help} (default: ${shown})`);
	if (isSwitch) option.preset('true');
	if (isList) option.argParser(collect);
	return option;
}

function placeholder(allowed: string): string {
	if (allowed.startsWith('a whole number')) return 'number';
	if (allowed.startsWith('a folder')) return 'folder';
	if (allowed.startsWith('a map')) return 'json';
	return allowed.includes(' or ') ? allowed.replaceAll(/, | or /g, '|') : 'text';
}
