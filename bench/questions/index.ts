/** Every question of the bench, in the order that `all` asks them. */
import type { Question } from '../harness/question.js';
import { transport } from './transport.js';

export const questions: readonly Question[] = [transport];
