// Package bounds says how much one PromQL expression may ask for. All of it is
// known before the expression is evaluated, most of it before it is parsed:
// parsing alone takes time that grows with the square of the nesting.
//
//   - Parser refuses text that is long or deeply nested, wherever it comes from.
//   - Steps refuses subqueries that would be evaluated too often.
//   - Queryable ends a reading when its context does, and when one series would
//     be read over and over again.
package bounds
